import { setTimeout as delay } from 'node:timers/promises';
import { reasonOf } from '../logging/safe-error';

/** Longest that a check may take. */
const CHECK_MS = 6000;
/** Longest that those may take together which are made one after the other. */
const TURN_MS = 12_000;

/** What a check has come to: all is well, something could be better, something is wrong. */
export type Status = 'ok' | 'advice' | 'problem';

/** What was found, and what to do. Either may hold what others have said: print it with care. */
export interface Finding {
  readonly status: Status;
  /** One sentence, without a full stop; never a secret. */
  readonly found: string;
  /** The same; empty where there is nothing to do. */
  readonly todo: string;
}

/** One thing that is looked at. */
export interface Check {
  readonly name: string;
  /** @param signal aborted when nobody waits for it any more */
  readonly look: (signal: AbortSignal) => Findings | Promise<Findings>;
}

/** Of a check that looks at several things, one each; none where there is nothing to say. */
type Findings = Finding | readonly Finding[];

/** What a check belongs to. */
export type GroupName = 'outside' | 'settings' | 'database' | 'machine';

/** A finding, and whose it is. */
export interface Result extends Finding {
  readonly group: GroupName;
  readonly name: string;
}

/** @param found what is as it should be */
export function ok(found: string): Finding {
  return { status: 'ok', found, todo: '' };
}

/** Something that could be better. */
export function advice(found: string, todo: string): Finding {
  return { status: 'advice', found, todo };
}

/** Something that is wrong. */
export function problem(found: string, todo: string): Finding {
  return { status: 'problem', found, todo };
}

/**
 * Makes some checks, all at once. One that fails, or takes too long, is a problem of its own and
 * stops no other.
 */
export async function lookAtOnce(group: GroupName, checks: readonly Check[]): Promise<Result[]> {
  const results = await Promise.all(checks.map((check) => lookAt(group, check, CHECK_MS)));
  return results.flat();
}

/** The same one after the other: for a server that may have few connections left. */
export async function lookInTurn(group: GroupName, checks: readonly Check[]): Promise<Result[]> {
  const end = performance.now() + TURN_MS;
  const results: Result[] = [];
  for (const check of checks) {
    const left = end - performance.now();
    if (left <= 0) {
      // Whoever was too slow has been named.
      const rest = problem('Not looked at, nor what follows: no time is left', 'Ask again');
      return [...results, { group, name: check.name, ...rest }];
    }
    results.push(...(await lookAt(group, check, Math.min(CHECK_MS, left))));
  }
  return results;
}

async function lookAt(group: GroupName, { name, look }: Check, limitMs: number): Promise<Result[]> {
  const over = new AbortController();
  const seconds = String(Math.ceil(limitMs / 1000));
  const tooLong = delay(
    limitMs,
    problem(
      `Could not be looked at within ${seconds} s`,
      'Look whether what it asks answers others',
    ),
    { signal: over.signal },
  );
  tooLong.catch(() => undefined);
  const looking = Promise.resolve()
    .then(() => look(over.signal))
    .catch(failed);
  const findings = await Promise.race([looking, tooLong]);
  over.abort();
  return [findings].flat().map((finding) => ({ group, name, ...finding }));
}

function failed(error: unknown): Finding {
  return problem(
    `Could not be looked at (${reasonOf(error)})`,
    'Mend what is said beside it first, and ask again',
  );
}
