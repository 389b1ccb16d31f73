import { ZxcvbnFactory } from '@zxcvbn-ts/core';
import { adjacencyGraphs, dictionary } from '@zxcvbn-ts/language-common';

const zxcvbn = new ZxcvbnFactory({ dictionary, graphs: adjacencyGraphs });

/** Longer, a password takes long to judge, and is strong. */
const MAX_LENGTH = 128;

/**
 * How hard a password is to guess, from 0 (at once) to 4 (hardly ever), as zxcvbn estimates it.
 *
 * @param about what whoever guesses may know
 */
export function strengthOf(password: string, about: readonly string[]): number {
  return zxcvbn.check(password.slice(0, MAX_LENGTH), [...about].filter(Boolean)).score;
}
