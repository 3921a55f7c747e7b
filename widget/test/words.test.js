// Words and money: every language says everything, with its plurals, numerals and direction.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ENGLISH } from "../lang/en.js";
import { directionOf, load, localeFor, money, shortMoney, wordsIn } from "../words.js";

const LANGUAGES = ["ar", "de", "es", "fr", "it", "ja", "nl", "pt", "sw", "tr", "zh"];
const plain = (text) => text.replace(/[\u00a0\u202f]/g, " ").replace(/[\u200e\u200f\u061c]/g, "");
const places = (text) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();

test("every language has every word, with the same places to fill in", async () => {
  for (const language of LANGUAGES) {
    const { weekdays, ...table } = (await import(`../lang/${language}.js`)).default;
    assert.ok(!weekdays || weekdays.split(" ").length === 7, language);
    assert.deepEqual(Object.keys(table).sort(), Object.keys(ENGLISH).sort(), language);
    for (const [name, english] of Object.entries(ENGLISH)) {
      const text = table[name];
      if (typeof english === "string") {
        assert.deepEqual(places(text), places(english), `${language} ${name}`);
        assert.notEqual(text.trim(), "", `${language} ${name}`);
      } else {
        // French and others know a plural for millions, which no stay has.
        const wanted = new Intl.PluralRules(language).resolvedOptions().pluralCategories;
        const there = wanted.filter((form) => form === "many" && language !== "ar" || text[form]);
        assert.deepEqual(there, wanted, `${language} ${name}`);
      }
    }
  }
});

test("a page is spoken to in its language where there are words, else in English", async () => {
  const rows = [
    ["de-AT", "de-AT"], ["zh-Hant-TW", "zh-Hant-TW"], ["en-GB", "en-GB"], ["fi", "en"], ["", "en"],
    ["<b>", "en"], ["toString", "en"], [undefined, "en"],
  ];
  for (const [lang, locale] of rows) assert.equal(localeFor(lang), locale, lang);
  assert.equal(wordsIn("tr"), null, "its words are loaded when they are wanted");
  assert.equal(await load("tr"), true);
  assert.equal(wordsIn("tr").book, "Ayırt");
});

test("plurals, numerals and direction are the language's own", async () => {
  for (const locale of ["ar-EG", "de", "ja"]) await load(locale);
  const nights = (locale, count) => wordsIn(locale).bar({ why: "min", count });
  assert.equal(nights("en", 1), "at least 1 night");
  assert.equal(nights("de", 2), "mindestens 2 Nächte");
  assert.equal(nights("ar-EG", 2), "الحد الأدنى: ليلتان");
  assert.equal(nights("ar-EG", 3), "الحد الأدنى: ٣ ليالٍ");
  assert.equal(wordsIn("ar-EG").day("2027-03-09"), "٩");
  assert.equal(nights("ja", 3), "最低3泊");
  assert.deepEqual(["ar-EG", "de"].map(directionOf), ["rtl", "ltr"]);
});

test("months are those of the grid in places that count other ones", async () => {
  await load("ar-SA");
  assert.match(wordsIn("ar-SA").month("2027-03-01"), /مارس/);
});

test("reasons of a refusal are said in words, unknown ones as they are", () => {
  const reasons = [
    { code: "min_nights", limit: 3 }, { code: "unavailable_held" }, { code: "too_many_guests",
      limit: 2 }, { code: "<b>new_code" },
  ];
  assert.deepEqual(wordsIn("en").reasons(reasons),
    ["at least 3 nights", "Held", "at most 2 guests", "<b>new code"]);
});

test("a hold is counted down in its last hour", () => {
  const { left } = wordsIn("en");
  const now = Date.now();
  assert.match(left(now + 905_000), /^15:0[45]$/);
  assert.equal(left(now - 1_000), "00:00");
});

test("minor units are ISO 4217's, whatever everyday usage has made of them", () => {
  const rows = [
    [123_450, "USD", "$1,234.50", "$1,235"],
    [12_000, "JPY", "¥12,000", "¥12K"],
    [45_500, "BHD", "BHD 45.500", "46"],
    [4_500, "BHD", "BHD 4.500", "4.5"],
    [150_000_000, "IDR", "IDR 1,500,000.00", "1.5M"],
    [9_007_199_254_740_991, "EUR", "€90,071,992,547,409.91", "€90.1T"],
    [0, "EUR", "€0.00", "€0"],
  ];
  for (const [minor, currency, full, short] of rows) {
    assert.equal(plain(money("en", minor, currency)), full);
    assert.equal(plain(shortMoney("en", minor, currency)), short);
  }
});

test("what is no amount of a currency is no text", () => {
  for (const [minor, currency] of [
    [undefined, "EUR"], [1.5, "EUR"], [-1, "EUR"], ["12", "EUR"], [12, "eur"], [12, "<b>"],
    [12, undefined], [2 ** 53, "EUR"],
  ]) {
    assert.equal(money("en", minor, currency), "");
    assert.equal(shortMoney("en", minor, currency), "");
  }
});
