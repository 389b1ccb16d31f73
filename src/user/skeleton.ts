import { BEYOND_ASCII, INVISIBLE, mapWidth } from './case-fold';
import { CONFUSABLES } from './confusables';

/** By character, the one or the few that it looks like. */
const PROTOTYPES = new Map(
  CONFUSABLES.trim()
    .split('\n')
    .flatMap((line) => {
      const [prototype = '', ...lookalikes] = line.split(' ').map(fromHexadecimal);
      return lookalikes.map((lookalike) => [lookalike, prototype] as const);
    }),
);

function fromHexadecimal(codePoints: string): string {
  return String.fromCodePoint(...codePoints.split('+').map((digits) => parseInt(digits, 16)));
}

/**
 * What a name looks like: two names with one skeleton look the same. Nothing to show or to store.
 *
 * It is UTS 39 §4's internalSkeleton; what is written from right to left is not put into the order
 * in which it is seen.
 *
 * @param name of bounded length: NFD takes time that grows with the square of a run of marks
 */
export function skeleton(name: string): string {
  let prototypes = '';
  for (const character of name.normalize('NFD').replace(INVISIBLE, '')) {
    prototypes += PROTOTYPES.get(character) ?? character;
  }
  return prototypes.normalize('NFD');
}

/**
 * Whether a name that is beyond ASCII looks as if it were not: `раураl` in Cyrillic letters, `æ` for
 * `ae`, `ｂｏｂ` in full width. What is ASCII in it does not count: the prototype of `%` is not ASCII.
 */
export function imitatesAscii(name: string): boolean {
  if (!BEYOND_ASCII.test(name)) return false;
  const beyond = mapWidth(name).replace(/[\0-\x7f]+/g, '');
  return !BEYOND_ASCII.test(skeleton(beyond));
}
