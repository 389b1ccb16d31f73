import { expect, it } from 'vitest';
import { browserLanguage } from './i18n/language';
import { catalogues, fill } from './i18n/messages';
import { howLongAgo, inHowLong } from './i18n/when';
import { strengthOf } from './strength';

it.each([
  [['ko-KR', 'en'], 'ko'],
  [['fr', 'ko', 'en'], 'ko'],
  [['en-GB'], 'en'],
  [['fr'], 'en'],
  [[], 'en'],
])('speaks to %j in %s', (wished, language) => {
  expect(browserLanguage(wished)).toBe(language);
});

it('has the same places to fill in both languages', () => {
  const places = (words: object): unknown =>
    Object.entries(words).map(([name, text]) => [
      name,
      typeof text === 'string' ? (text.match(/\{\w+\}/g) ?? []).sort() : places(text as object),
    ]);
  expect(places(catalogues.en)).toEqual(places(catalogues.ko));
});

it('fills only what it has a value for', () => {
  expect(fill('{a} and {b}', { a: 1 })).toBe('1 and {b}');
});

it.each([
  ['2027-01-01T11:59:30Z', 'now'],
  ['2027-01-01T11:55:00Z', '5 minutes ago'],
  ['2027-01-01T10:00:00Z', '2 hours ago'],
  ['2026-12-31T10:00:00Z', 'yesterday'],
  ['2027-01-01T12:00:30Z', 'now'],
])('says of %s that it was %s', (time, words) => {
  expect(howLongAgo(time, 'en', Date.parse('2027-01-01T12:00:00Z'))).toBe(words);
});

it.each([
  [0.2, 'en', 'in 1 second'],
  [7, 'en', 'in 7 seconds'],
  [7, 'ko', '7초 후'],
  [90, 'en', 'in 90 seconds'],
  [91, 'ko', '2분 후'],
  [5401, 'en', 'in 2 hours'],
  [200_000, 'en', 'in 3 days'],
])('says of %d seconds in %s that it is %s', (seconds, language, words) => {
  expect(inHowLong(seconds, language)).toBe(words);
});

it('judges a password by how hard it is to guess', () => {
  expect(strengthOf('password', [])).toBe(0);
  expect(strengthOf('violet lamp 93 river', [])).toBe(4);
  expect(strengthOf('hana.kim.1990', ['hana', 'hana.kim@example.com'])).toBeLessThan(
    strengthOf('qzxv.plm.1990', ['hana', 'hana.kim@example.com']),
  );
  expect(strengthOf('a'.repeat(5000), [])).toBeGreaterThanOrEqual(0);
});
