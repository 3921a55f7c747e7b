// The light of a picture: four times of day as palettes, and the sky that goes with each.

import { box, disc, draw, mix } from "./paint.js";

/**
 * `sky` from top to horizon; `far`, `near` and `ground` colour the land; `shade` and `dim` are what
 * everything else is mixed with, and by how much; `glow` is the colour of windows, lit by `lit`.
 */
export const LIGHTS = [
  {
    name: "morning", sky: ["#f3c9b0", "#fbe6cf", "#fdf3e2"], sun: "#fff4d8", far: "#d9b8ae",
    near: "#7f9a86", ground: "#5f8068", water: ["#f0cdb8", "#88a9ae"], shade: "#c98f7c", dim: 0.1,
    glow: "#fbe3ae", lit: false,
  },
  {
    name: "day", sky: ["#8fc3d9", "#c4e1e4", "#eef3e4"], sun: "#fff6cf", far: "#a9c6cc",
    near: "#6f9f7c", ground: "#4f8463", water: ["#a5d0d6", "#3f8ea0"], shade: "#8fc3d9", dim: 0.04,
    glow: "#f4d795", lit: false,
  },
  {
    name: "evening", sky: ["#4d4a7c", "#c8708a", "#f6b184"], sun: "#ffd9a0", far: "#8d6a8c",
    near: "#54587a", ground: "#3b4a5e", water: ["#e79a84", "#5b5585"], shade: "#5b4a78", dim: 0.3,
    glow: "#ffd27a", lit: true,
  },
  {
    name: "night", sky: ["#101c3a", "#1f3459", "#3d5678"], sun: "#f4efdc", far: "#32496a",
    near: "#1f3650", ground: "#16293b", water: ["#3b5678", "#16273f"], shade: "#14233f", dim: 0.5,
    glow: "#ffcf70", lit: true,
  },
];

/** The sky with its sun or moon, clouds or stars, `horizon` being where the land begins. */
export function sky(light, chance, horizon, id) {
  const [top, middle, low] = light.sky;
  const x = chance.between(70, 410);
  const y = light.lit && light.name === "evening" ? horizon - chance.between(6, 40)
    : chance.between(50, 110);
  return [
    draw("defs", {}, draw("linearGradient", { id, x1: 0, y1: 0, x2: 0, y2: 1 },
      [[0, top], [0.62, middle], [1, low]].map(([offset, colour]) =>
        draw("stop", { offset: String(offset), "stop-color": colour })))),
    box(-240, 0, 960, horizon + 40, `url(#${id})`),
    light.name === "night" ? stars(chance, horizon) : null,
    disc(x, y, 58, light.sun, { opacity: 0.12 }),
    disc(x, y, 40, light.sun, { opacity: 0.2 }),
    disc(x, y, light.name === "night" ? 17 : 24, light.sun),
    light.name === "night" ? disc(x + 7, y - 5, 15, mix(top, middle, 0.5)) : clouds(light, chance),
  ];
}

function stars(chance, horizon) {
  return Array.from({ length: 92 }, () => disc(
    chance.between(-240, 720), chance.between(0, horizon * 0.8), chance.between(0.6, 1.7),
    "#f4efdc", { opacity: chance.between(0.35, 0.95).toFixed(2) },
  ));
}

function clouds(light, chance) {
  const colour = mix(light.sky[2], "#ffffff", light.lit ? 0.1 : 0.55);
  const puff = (x, y, size, length) => [
    box(x, y, length, size, colour, size / 2),
    box(x + length * 0.22, y - size * 0.6, length * 0.5, size, colour, size / 2),
    box(x - length * 0.16, y + size * 0.55, length * 0.7, size * 0.7, colour, size * 0.35),
  ];
  return Array.from({ length: 5 }, (_, at) => draw("g", { opacity: light.lit ? 0.28 : 0.75 },
    puff(-230 + at * 190 + chance.between(0, 90), chance.between(30, 120),
      chance.between(9, 14), chance.between(56, 96))));
}
