// The homes themselves, one function for each kind. All stand on the line y = 300 around x = 0 and
// are moved into place by the picture.

import { box, disc, draw, mix, path, shape } from "./paint.js";

const BASE = 300;
const WALLS = [
  "#f6efe2", "#e9d3b4", "#d98e6c", "#c9674f", "#9db4a0", "#7f9db0", "#e6c56d", "#efe3d8",
];
const ROOFS = ["#7a4336", "#4c5a5e", "#94513d", "#35484c", "#5d4638"];
const DOORS = ["#1f5c4d", "#9b3b2f", "#2d4a63", "#c98a2b", "#513a56"];

/** What a home is painted with in this light. */
export function coat(light, chance) {
  const under = (colour) => mix(colour, light.shade, light.dim);
  const [wall, roof, door] = [chance.of(WALLS), chance.of(ROOFS), chance.of(DOORS)];
  return {
    light,
    wall: under(wall),
    side: mix(under(wall), mix(light.shade, "#40302c", 0.45), 0.26),
    roof: under(roof),
    eave: mix(under(roof), "#1d1a1c", 0.25),
    door: under(door),
    trim: under("#fbf7ee"),
    wood: under("#9a6a45"),
    dark: under("#4a3429"),
    pane: light.lit ? light.glow : under("#bcd8dc"),
    leaf: under(mix("#4f8a5b", light.ground, 0.35)),
  };
}

export const HOMES = { house, cabin, loft, villa, cottage, terrace };

function pane(coat, x, y, width, height, bars = 1) {
  const parts = [
    coat.light.lit ? box(x - 4, y - 4, width + 8, height + 8, coat.light.glow, 5) : null,
    box(x - 2, y - 2, width + 4, height + 4, coat.trim, 1.5),
    box(x, y, width, height, coat.pane),
    shape([[x, y + height], [x, y + height * 0.45], [x + width * 0.75, y], [x + width, y],
      [x + width, y + height * 0.15], [x + width * 0.2, y + height]], "#ffffff", { opacity: 0.16 }),
  ];
  parts[0]?.setAttribute("opacity", "0.22");
  for (let bar = 1; bar <= bars; bar += 1) {
    parts.push(box(x + (width * bar) / (bars + 1) - 0.8, y, 1.6, height, coat.trim));
  }
  if (bars > 0) parts.push(box(x, y + height * 0.46, width, 1.6, coat.trim));
  return parts;
}

function door(coat, x, width = 24, height = 48) {
  return [
    box(x - 3, BASE - height - 3, width + 6, height + 3, coat.trim, 2),
    box(x, BASE - height, width, height, coat.door, 1),
    box(x + width * 0.28, BASE - height + 7, width * 0.44, 13, coat.pane, 1),
    disc(x + width - 5, BASE - height * 0.42, 1.7, coat.trim),
    box(x - 7, BASE - 2, width + 14, 4, mix(coat.trim, coat.dark, 0.35), 1),
  ];
}

function bush(coat, x, size) {
  return [
    draw("ellipse", { cx: x, cy: BASE - size * 0.4, rx: size, ry: size * 0.62, fill: coat.leaf }),
    draw("ellipse", {
      cx: x - size * 0.35, cy: BASE - size * 0.62, rx: size * 0.5, ry: size * 0.34,
      fill: mix(coat.leaf, "#ffffff", 0.12),
    }),
  ];
}

/** A gable with a long side. */
function house(coat) {
  return [
    box(52, 128, 17, 46, coat.side), box(49, 124, 23, 7, coat.eave),
    box(-2, 196, 122, 104, coat.side),
    shape([[-42, 138], [84, 138], [130, 200], [4, 200]], coat.roof),
    shape([[-98, 300], [-98, 200], [-44, 138], [10, 200], [10, 300]], coat.wall),
    shape([[-108, 204], [-44, 130], [20, 204], [12, 210], [-44, 146], [-100, 210]], coat.eave),
    pane(coat, -54, 168, 20, 24), pane(coat, -82, 222, 28, 34), door(coat, -28),
    pane(coat, 32, 222, 24, 34), pane(coat, 76, 222, 24, 34),
    bush(coat, 52, 20), bush(coat, 108, 25), bush(coat, -94, 16),
  ];
}

/** An A-frame with a glass front and a deck. */
function cabin(coat) {
  const sheen = mix(coat.pane, "#ffffff", 0.12);
  return [
    smoke(coat, 44, 116),
    box(40, 128, 9, 60, coat.eave),
    shape([[-2, 104], [96, 112], [150, 290], [112, 298]], coat.roof),
    shape([[-114, 300], [0, 104], [114, 300]], coat.eave),
    shape([[-94, 300], [0, 136], [94, 300]], coat.wood),
    coat.light.lit ? shape([[-74, 294], [0, 160], [74, 294]], coat.light.glow, { opacity: 0.35 })
      : null,
    shape([[-4, 172], [-4, 224], [-34, 224]], coat.pane),
    shape([[4, 172], [4, 224], [34, 224]], sheen),
    shape([[-38, 232], [-4, 232], [-4, 296], [-74, 296]], sheen),
    shape([[38, 232], [4, 232], [4, 296], [74, 296]], coat.pane),
    box(-130, 294, 268, 9, mix(coat.wood, coat.dark, 0.4), 1),
    [-122, -92, 92, 122].map((x) => box(x, 272, 4, 24, coat.dark)),
    box(-124, 270, 36, 4, coat.dark), box(90, 270, 38, 4, coat.dark),
    box(-118, 303, 8, 14, coat.dark), box(110, 303, 8, 14, coat.dark),
  ];
}

function smoke(coat, x, y) {
  return path(`M${x} ${y}c-9-12 9-18 2-32s8-16 4-30`, "none", {
    stroke: mix(coat.light.sky[1], "#ffffff", 0.5), "stroke-width": 6, "stroke-linecap": "round",
    opacity: 0.5,
  });
}

/** Brick with the tall windows of a workshop, and a garden on the roof. */
function loft(coat) {
  const brick = mix(coat.wall, "#a9543e", 0.55);
  const lines = [];
  for (let y = 118; y < 300; y += 13) {
    lines.push(box(-92, y, 150, 1, mix(brick, "#2b1a18", 0.14)));
  }
  const windows = [138, 194].map((y) => [-78, -30, 18].map((x) => pane(coat, x, y, 30, 40, 2)));
  return [
    box(58, 164, 66, 136, mix(coat.side, "#6d6f73", 0.3)),
    box(54, 158, 74, 8, coat.eave),
    [180, 216, 252].map((y) => [70, 96].map((x) => pane(coat, x, y, 15, 20, 0))),
    box(-92, 108, 150, 192, brick), lines,
    box(-98, 102, 162, 10, coat.eave),
    windows,
    box(-92, 248, 150, 5, mix(brick, "#2b1a18", 0.3)),
    pane(coat, -78, 264, 58, 28, 3), door(coat, 16, 24, 42),
    box(-20, 60, 34, 30, coat.wood, 2), shape([[-24, 62], [-3, 46], [18, 62]], coat.eave),
    box(-17, 90, 3, 13, coat.dark), box(8, 90, 3, 13, coat.dark),
    [-80, -62, 34, 48].map((x, at) => disc(x, 99, 7 + (at % 2) * 4, coat.leaf)),
  ];
}

/** Two floating boxes, glass and a pool. */
function villa(coat) {
  const white = mix(coat.wall, coat.trim, 0.75);
  const water = mix(mix("#4fb3bf", coat.light.water[1], 0.4), coat.light.shade, coat.light.dim);
  return [
    box(-58, 222, 162, 78, mix(white, coat.side, 0.3)),
    coat.light.lit ? box(-50, 232, 106, 68, coat.light.glow) : box(-50, 232, 106, 68, coat.pane),
    [-26, 0, 27].map((x) => box(x, 232, 3, 68, coat.dark)),
    box(64, 232, 34, 68, coat.wood),
    Array.from({ length: 6 }, (_, at) => box(64 + at * 6, 232, 1.4, 68, coat.dark)),
    box(-116, 152, 196, 68, white, 1),
    box(-122, 146, 208, 8, mix(white, "#ffffff", 0.3), 1),
    box(-116, 216, 196, 7, coat.side),
    pane(coat, -104, 166, 84, 42, 3), pane(coat, 14, 166, 50, 42, 1),
    box(-104, 224, 5, 76, coat.side),
    shape([[-150, 300], [-40, 300], [-64, 322], [-186, 322]], mix(water, "#ffffff", 0.5)),
    shape([[-145, 302], [-48, 302], [-69, 319], [-177, 319]], water),
    bush(coat, 118, 24), bush(coat, 140, 17),
  ];
}

/** Low walls below a deep roof with dormers. */
function cottage(coat) {
  const thatch = mix(coat.roof, "#b98d4f", 0.45);
  const dormer = (x) => [
    shape([[x - 24, 196], [x, 158], [x + 24, 196]], mix(thatch, coat.dark, 0.3)),
    shape([[x - 16, 200], [x, 172], [x + 16, 200]], coat.wall),
    pane(coat, x - 8, 180, 16, 17),
  ];
  return [
    smoke(coat, -66, 120),
    box(-76, 130, 20, 50, coat.side), box(-79, 126, 26, 7, coat.eave),
    box(-118, 212, 236, 88, coat.wall),
    path("M-138 222C-122 196-100 148-84 146H84C100 148 122 196 138 222Q0 208-138 222Z", thatch),
    path("M-138 222Q0 208 138 222L136 228Q0 214-136 228Z", mix(thatch, coat.dark, 0.35)),
    dormer(-54), dormer(54),
    pane(coat, -96, 240, 32, 30), pane(coat, 64, 240, 32, 30),
    pane(coat, -48, 240, 22, 30), door(coat, -2, 26, 54),
    path("M-10 246q22-22 42 0", "none", { stroke: coat.leaf, "stroke-width": 6 }),
    bush(coat, -112, 20), bush(coat, 50, 15), bush(coat, 112, 22),
  ];
}

/** Three narrow town houses with stepped, round and pointed gables. */
function terrace(coat) {
  const paints = [coat.wall, mix(coat.wall, "#a85a45", 0.5), mix(coat.wall, "#5d7f86", 0.55)];
  const facade = (x, top, width, paint, gable) => [
    gable(x, top, width, paint), box(x, top, width, BASE - top, paint),
    [top + 14, top + 54, top + 94].filter((y) => y < 238).map((y) =>
      [x + 10, x + width - 29].map((left) => pane(coat, left, y, 19, 28))),
    box(x, 248, width, 3, mix(paint, coat.dark, 0.3)),
  ];
  const stepped = (x, top, width, paint) => [0, 1, 2].map((step) =>
    box(x + step * 13, top - (step + 1) * 12, width - step * 26, 13, paint));
  const round = (x, top, width, paint) => path(
    `M${x} ${top + 1}c4-14 16-10 18-24 0-10 ${width / 2 - 22}-22 ${width / 2 - 18}-22`
    + `s${width / 2 - 18} 12 ${width / 2 - 18} 22c2 14 14 10 18 24z`, paint);
  const pointed = (x, top, width, paint) => [
    shape([[x - 4, top + 2], [x + width / 2, top - 42], [x + width + 4, top + 2]], coat.eave),
    shape([[x + 4, top + 2], [x + width / 2, top - 34], [x + width - 4, top + 2]], paint),
    disc(x + width / 2, top - 12, 5, coat.pane),
  ];
  return [
    facade(-122, 158, 80, paints[1], stepped), facade(42, 164, 82, paints[2], pointed),
    facade(-42, 140, 84, paints[0], round),
    door(coat, -94, 24, 44), door(coat, -12, 26, 46), door(coat, 72, 24, 44),
    bush(coat, -56, 11), bush(coat, 32, 11), bush(coat, 112, 12),
  ];
}
