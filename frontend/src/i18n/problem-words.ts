import { type FieldProblem, Problem } from '../api/problem';
import type { Speech } from './language';
import { fill } from './messages';
import { inHowLong } from './when';

/** What a form has to say of a status that means something of its own there. */
export type StatusWords = Readonly<Partial<Record<number, string>>>;

/** Fields for a password that somebody has: whatever is wrong with it, it is not that one. */
const GIVEN_PASSWORDS: readonly unknown[] = ['password', 'current_password'];

/** The field for what a mail has brought: the code that somebody types, or unseen the token of a link. */
const MAIL_TOKEN = 'token';

/** Whether what a mail has brought is not good any more. */
export function isUsedUp(error: Error | null): boolean {
  return error instanceof Problem && error.fields.some((field) => nameOf(field) === MAIL_TOKEN);
}

/** What the services that send no mail say of it: of all that is unavailable, this does not pass. */
export function mailWords(error: Error | null, { noMail }: Speech['t']): StatusWords {
  const isForGood =
    error instanceof Problem && error.status === 503 && error.retryAfter === undefined;
  return isForGood ? { 503: noMail } : {};
}

/** The name of a field that the service speaks of; none if it speaks of the whole body. */
export function nameOf({ loc }: FieldProblem): string {
  return loc.length > 1 ? String(loc.at(-1)) : '';
}

/**
 * What went wrong and what to do, in the language of the page, whichever the service has spoken.
 *
 * @param words for statuses that mean something of their own here
 * @param told fields that tell what is wrong with them themselves
 * @returns empty if all of it is told there
 */
export function problemWords(
  error: Error,
  speech: Speech,
  words: StatusWords = {},
  told: readonly string[] = [],
): string {
  const { t, language } = speech;
  if (!(error instanceof Problem)) return t.broken;
  if (error.fields.length > 0) {
    return error.fields
      .filter((field) => !told.includes(nameOf(field)))
      .map((field) =>
        nameOf(field) === MAIL_TOKEN
          ? t.badLink
          : [nameOf(field), fieldWords(field, error, speech)].filter(Boolean).join(': '),
      )
      .join(' ');
  }
  const when = error.retryAfter === undefined ? t.soon : inHowLong(error.retryAfter, language);
  const own: StatusWords = {
    0: t.offline,
    401: t.farewell.ended,
    429: fill(t.tooMany, { when }),
    500: t.broken,
    503: fill(t.busy, { when }),
    ...words,
  };
  return own[error.status] ?? (spoken(error, language) || t.broken);
}

/** What is wrong with a field and what to do, in the language of the page. */
export function fieldWords(field: FieldProblem, problem: Problem, { t, language }: Speech): string {
  const { type, ctx = {}, msg } = field;
  if (type === 'value_error' && GIVEN_PASSWORDS.includes(nameOf(field))) return t.wrongPassword;
  if (type === 'value_error' && nameOf(field) === MAIL_TOKEN) return t.badCode;
  const known: Readonly<Record<string, string>> = t.invalid;
  const words = fill(known[type] ?? '', ctx);
  // Words with a place that nothing was given for say less than the service's own.
  if (words !== '' && !words.includes('{')) return words;
  return problem.language === language ? msg : t.notTaken;
}

/** What the service says itself, if it is in the language that the page has by now. */
function spoken({ message, language }: Problem, wanted: string): string {
  return language === wanted ? message : '';
}
