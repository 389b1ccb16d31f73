import { FIELD_MESSAGES, MESSAGES } from './messages';

const HANGUL = /\p{Script=Hangul}/u;

describe.each([
  ['MESSAGES', Object.entries(MESSAGES)],
  ['FIELD_MESSAGES', Object.entries(FIELD_MESSAGES)],
])('%s', (_name, entries) => {
  it.each(entries)('%s is all in one language in each catalogue', (_key, { ko, en }) => {
    expect(ko).toMatch(HANGUL);
    expect(en).toMatch(/^[\x20-\x7e]+$/);
  });

  it.each(entries)('%s says the same parameters in each catalogue', (_key, wording) => {
    const parameters = (text: string): string[] => text.match(/\{\w+\}/g) ?? [];
    const { parameter } = wording as { parameter?: string };
    for (const text of [wording.reference, wording.ko, wording.en]) {
      expect(parameters(text)).toEqual(parameter === undefined ? [] : [`{${parameter}}`]);
    }
  });
});
