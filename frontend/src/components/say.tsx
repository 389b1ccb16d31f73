import type { Messages } from '../i18n/messages';
import { useSpeech } from '../i18n/language';

/** Names of what is said as it stands. */
export type Word = {
  [Name in keyof Messages]: Messages[Name] extends string ? Name : never;
}[keyof Messages];

/** What the page says under that name: kept as this and not as text, it follows the language. */
export function Say({ word }: { readonly word: Word }): string {
  return useSpeech().t[word];
}
