import { expect, it } from 'vitest';
import { browserLanguage } from './i18n/language';
import { catalogues, fill } from './i18n/messages';
import { howLongAgo } from './pages/home/how-long-ago';
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
      typeof text === 'string'
        ? (text.match(/\{\w+\}/g) ?? []).sort()
        : Object.keys(text as object),
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

it('judges a password by how hard it is to guess', () => {
  expect(strengthOf('password', [])).toBe(0);
  expect(strengthOf('violet lamp 93 river', [])).toBe(4);
  expect(strengthOf('hana.kim.1990', ['hana', 'hana.kim@example.com'])).toBeLessThan(
    strengthOf('qzxv.plm.1990', ['hana', 'hana.kim@example.com']),
  );
  expect(strengthOf('a'.repeat(5000), [])).toBeGreaterThanOrEqual(0);
});
