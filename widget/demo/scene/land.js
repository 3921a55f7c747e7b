// The land behind a home: mountains, sea, town, woods or hills, in layers that pale with distance.

import { box, disc, draw, mix, path, shape } from "./paint.js";

/** Where the sky ends in each kind of land. */
export const HORIZON = { mountains: 236, sea: 214, town: 250, woods: 236, hills: 226 };

export const LANDS = {
  mountains: (light, chance) => [
    ridge(light, chance, { base: 214, height: 104, peaks: 5, depth: 0.15, snow: true }),
    ridge(light, chance, { base: 236, height: 70, peaks: 6, depth: 0.5 }),
    conifers(light, chance, { base: 268, count: 26, size: 26, depth: 0.75 }),
  ],
  sea: (light, chance) => [
    island(light, chance),
    water(light, 214),
    glitter(light, chance),
    boat(light, chance),
  ],
  town: (light, chance) => [
    skyline(light, chance, { base: 262, low: 46, high: 118, depth: 0.25, wide: 44 }),
    skyline(light, chance, { base: 274, low: 30, high: 74, depth: 0.62, wide: 54, windows: true }),
  ],
  woods: (light, chance) => [
    ridge(light, chance, { base: 226, height: 38, peaks: 4, depth: 0.2 }),
    conifers(light, chance, { base: 246, count: 30, size: 40, depth: 0.4 }),
    conifers(light, chance, { base: 268, count: 22, size: 62, depth: 0.75 }),
  ],
  hills: (light, chance) => [
    swell(light, chance, { base: 216, height: 44, depth: 0.2 }),
    swell(light, chance, { base: 244, height: 36, depth: 0.5 }),
    rows(light, chance),
    roundTrees(light, chance, { base: 262, count: 9, size: 15, depth: 0.8 }),
  ],
};

/** The ground that a home stands on. */
export function ground(kind, light, chance) {
  const colour = kind === "town" ? mix(light.ground, "#8d8a86", 0.6)
    : kind === "sea" ? mix(light.ground, "#d9c79f", light.lit ? 0.25 : 0.62) : light.ground;
  const dip = chance.between(-8, 8);
  return [
    path(`M-2 268H0C120 ${254 + dip} 330 ${256 - dip} 480 270H482V360H-2Z`, colour),
    path("M-2 316H0C140 300 340 302 480 320H482V360H-2Z", mix(colour, light.shade, 0.16)),
  ];
}

function layered(light, depth) {
  return mix(light.far, light.near, depth);
}

function ridge(light, chance, { base, height, peaks, depth, snow }) {
  const step = 480 / peaks;
  const points = [[-20, base]];
  const caps = [];
  for (let at = 0; at <= peaks; at += 1) {
    const x = at * step + chance.between(-0.2, 0.2) * step;
    const y = base - height * chance.between(0.55, 1);
    points.push([x - step * 0.3, base - height * chance.between(0.28, 0.42)], [x, y]);
    if (snow && base - y > height * 0.72) {
      caps.push(shape(
        [[x, y], [x + 15, y + 22], [x + 4, y + 17], [x - 4, y + 25], [x - 13, y + 18]],
        mix(light.sky[2], "#ffffff", 0.6), { opacity: 0.75 },
      ));
    }
  }
  points.push([500, base], [500, 300], [-20, 300]);
  return [shape(points, layered(light, depth)), caps];
}

function swell(light, chance, { base, height, depth }) {
  const [a, b] = [0, 1].map(() => base - height * chance.between(0.6, 1.1));
  const middle = base - height * 0.3;
  return path(`M-2 ${base}H0C90 ${a} 170 ${a} 240 ${middle}S400 ${b} 480 ${base}H482V300H-2Z`,
    layered(light, depth));
}

function rows(light, chance) {
  const colour = mix(layered(light, 0.5), light.shade, 0.3);
  const start = chance.between(20, 260);
  return Array.from({ length: 7 }, (_, at) => path(
    `M${start + at * 17} 258q${10 + at * 2}-14 ${26 + at * 3}-22`, "none",
    { stroke: colour, "stroke-width": 2.4, "stroke-linecap": "round", opacity: 0.7 },
  ));
}

function conifers(light, chance, { base, count, size, depth }) {
  return Array.from({ length: count }, (_, at) => {
    const x = (at + chance.between(0, 1)) * (500 / count) - 10;
    return conifer(x, base + chance.between(-4, 4), size * chance.between(0.7, 1.2),
      mix(layered(light, depth), light.shade, chance.between(0, 0.16)));
  });
}

export function conifer(x, base, size, colour) {
  const half = size * 0.3;
  return shape([
    [x, base - size], [x + half * 0.62, base - size * 0.55], [x + half * 0.36, base - size * 0.55],
    [x + half, base], [x - half, base], [x - half * 0.36, base - size * 0.55],
    [x - half * 0.62, base - size * 0.55],
  ], colour);
}

function roundTrees(light, chance, { base, count, size, depth }) {
  return Array.from({ length: count }, () => {
    const x = chance.between(0, 480);
    const colour = mix(layered(light, depth), light.shade, chance.between(0, 0.2));
    return roundTree(x, base + chance.between(-3, 6), size * chance.between(0.7, 1.3), colour);
  });
}

export function roundTree(x, base, size, colour) {
  return [
    box(x - size * 0.1, base - size * 0.9, size * 0.2, size * 0.95, mix(colour, "#3b2a22", 0.5)),
    draw("ellipse", {
      cx: x, cy: base - size * 1.35, rx: size * 0.72, ry: size * 0.88, fill: colour,
    }),
    draw("ellipse", {
      cx: x - size * 0.2, cy: base - size * 1.55, rx: size * 0.36, ry: size * 0.42,
      fill: mix(colour, "#ffffff", 0.1),
    }),
  ];
}

function island(light, chance) {
  const x = chance.between(-40, 300);
  const width = chance.between(170, 260);
  const rise = chance.between(20, 44);
  return path(`M${x} 216c${width * 0.2}-${rise} ${width * 0.34}-8 ${width * 0.5}-26`
    + `s${width * 0.3} 10 ${width * 0.5} 26z`, layered(light, 0.15));
}

function water(light, top) {
  const [pale, deep] = light.water;
  return [0, 1, 2, 3, 4].map((at) =>
    box(-2, top + at * at * 4.4, 484, 90, mix(pale, deep, at / 4)));
}

function glitter(light, chance) {
  return Array.from({ length: 16 }, (_, at) => {
    const width = chance.between(16, 64);
    return box(chance.between(0, 440), 218 + at * 3.6, width, 1.6, light.sun, 0.8);
  }).map((line) => {
    line.setAttribute("opacity", "0.5");
    return line;
  });
}

function boat(light, chance) {
  const [x, y] = [chance.between(40, 420), chance.between(222, 234)];
  const sail = mix("#fbf6ea", light.shade, light.dim);
  return [
    shape([[x, y - 30], [x, y - 3], [x + 17, y - 3]], sail),
    shape([[x - 2, y - 24], [x - 2, y - 3], [x - 12, y - 3]], mix(sail, light.shade, 0.2)),
    shape([[x - 15, y], [x + 20, y], [x + 14, y + 6], [x - 10, y + 6]],
      mix("#7a4b3a", light.shade, light.dim)),
  ];
}

function skyline(light, chance, { base, low, high, depth, wide, windows }) {
  const parts = [];
  for (let x = -10; x < 490;) {
    const width = wide * chance.between(0.55, 1.15);
    const height = chance.between(low, high);
    const top = base - height;
    const colour = mix(layered(light, depth), light.shade, chance.between(0, 0.16));
    const form = chance.whole(0, 3);
    if (form === 0) {
      parts.push(shape([[x, top], [x + width / 2, top - width * 0.4], [x + width, top]], colour));
    } else if (form === 1) {
      parts.push(disc(x + width / 2, top, width * 0.3, colour),
        box(x + width / 2 - 1, top - width * 0.55, 2, width * 0.4, colour));
    }
    parts.push(box(x, top, width, 340 - top, colour));
    if (windows) parts.push(panes(light, chance, { x, top, width, height, colour }));
    x += width;
  }
  return parts;
}

function panes(light, chance, { x, top, width, height, colour }) {
  const found = [];
  for (let down = top + 9; down < top + height - 8; down += 14) {
    for (let across = x + 7; across < x + width - 9; across += 12) {
      const isLit = light.lit && chance.next() < 0.5;
      const pane = isLit ? light.glow : mix(colour, light.sky[2], 0.35);
      found.push(box(across, down, 5, 7, pane, 0.6));
    }
  }
  return found;
}
