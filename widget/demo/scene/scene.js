// The picture of a home, drawn from where it is and which it is: the place chooses the land and the
// light, the id the house and its colours. The same home always looks the same.

import { chanceFrom } from "./chance.js";
import { HOMES, coat } from "./homes.js";
import { HORIZON, LANDS, conifer, ground, roundTree } from "./land.js";
import { LIGHTS, sky } from "./light.js";
import { draw, mix } from "./paint.js";

/** What is built where. */
const BUILT = {
  mountains: ["cabin", "house", "villa", "cabin"],
  sea: ["villa", "cottage", "house"],
  town: ["loft", "terrace", "loft", "terrace"],
  woods: ["cabin", "cottage", "house"],
  hills: ["cottage", "house", "villa"],
};
const KINDS = Object.keys(BUILT);

let pictures = 0;

/**
 * An `svg` of 480 x 360 for a property, or a panorama of 960 x 360; it fills whatever box it is put
 * in. A panorama goes on to both sides with the same land in mirrors.
 */
export function scene({ id, city, country, latitude, longitude }, panorama = false) {
  const place = chanceFrom(`${city} ${country} ${latitude} ${longitude} ${latitude ? "" : id}`);
  const own = chanceFrom(id);
  const kind = place.of(KINDS);
  const light = place.of(LIGHTS);
  pictures += 1;
  const sides = panorama ? ["translate(0 0) scale(-1 1)", "translate(960 0) scale(-1 1)"] : [];
  const above = sky(light, place, HORIZON[kind], `sky-${pictures}`);
  // A frame of its own clips the land, a hair beyond its edges, so that mirrors meet seamless.
  const land = draw("g", {}, draw("svg", {
    x: -0.4, y: 0, width: 480.8, height: 360, viewBox: "-0.4 0 480.8 360",
  }, LANDS[kind](light, place), ground(kind, light, place)));
  return draw("svg", {
    class: "scene", viewBox: panorama ? "-240 0 960 360" : "0 0 480 360",
    preserveAspectRatio: "xMidYMid slice", "aria-hidden": "true", focusable: "false",
  },
    above, mirrored(land, sides), land,
    home(kind, light, own), garden(kind, light, own));
}

function mirrored(part, sides) {
  return sides.map((transform) => {
    const copy = part.cloneNode(true);
    copy.setAttribute("transform", transform);
    return copy;
  });
}

function home(kind, light, chance) {
  const x = chance.between(196, 284);
  const facing = chance.next() < 0.5 ? -1 : 1;
  return draw("g", { transform: `translate(${Math.round(x)} 10) scale(${facing} 1)` },
    draw("ellipse", {
      cx: 0, cy: 301, rx: 150, ry: 8, fill: mix(light.ground, "#101a1c", 0.5), opacity: 0.35,
    }),
    HOMES[chance.of(BUILT[kind])](coat(light, chance)));
}

// Something near the reader on both sides frames the home.
function garden(kind, light, chance) {
  const leaf = mix(mix("#3f7a52", light.ground, 0.4), light.shade, light.dim);
  const tall = (x, size) => (kind === "mountains" || kind === "woods"
    ? conifer(x, 330, size * 2.1, mix(leaf, light.shade, 0.25))
    : roundTree(x, 326, size * 0.85, leaf));
  return [
    tall(chance.between(14, 50), chance.between(46, 62)),
    tall(chance.between(428, 468), chance.between(40, 64)),
    Array.from({ length: 12 }, () => {
      const [x, y] = [chance.between(0, 480), chance.between(326, 356)];
      return draw("path", {
        d: `M${Math.round(x)} ${Math.round(y)}q2-9-3-13m3 13q1-8 6-12`, fill: "none",
        stroke: mix(leaf, "#ffffff", 0.14), "stroke-width": 2, "stroke-linecap": "round",
      });
    }),
  ];
}
