import { registration } from '../../support/client';
import type { Difference } from '../differences';

/** A request to both, and everything in which what comes of it differs. */
export type Case = readonly [
  name: string,
  path: string,
  init: RequestInit,
  ...differences: Difference[],
];

/** Something to try, and what differs then. */
export type Tried<T = string> = readonly [value: T, ...differences: Difference[]];

/** Who registered with the reference before the service came: number 1. */
export const HANA = 'hana';

/** What the service knows of her. */
export const HER = {
  id: 1,
  username: HANA,
  email: (JSON.parse(registration(HANA).body) as { email: string }).email,
};

/** Writes anything so that a test can be called after it. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value).replace(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return text.length <= 80 ? text : `${text.slice(0, 40)}..., ${String(text.length)} in all`;
}
