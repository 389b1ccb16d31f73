import { createSecretKey, randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import type { Settings } from '../config/settings';
import { SigningKeys } from '../config/signing-keys';
import type { ServiceDataSource } from '../database/data-source';
import { decoyHash } from '../password/hash-format';
import { HashQueue } from '../password/hash-queue';
import type { HashTask } from '../password/hash.worker';
import { PasswordHasher } from '../password/password-hasher';
import { takeHashCensus } from '../user/hash-census.service';
import { advice, type Check, type Finding, ok } from './check';

/** Dearer hashes are not waited for: each step of the cost doubles them. */
const MEASURED_COST = 9;
const ROUNDS = 4;
/** A busy machine is measured less often. */
const ENOUGH_MS = 1000;
/** OWASP Password Storage Cheat Sheet: less than a second; much less is quickly guessed. */
const LEAST_MS = 50;
const MOST_MS = 1000;

/** What a login costs this machine. */
export function hashingCheck(settings: Settings): Check {
  return { name: 'hashing', look: () => hashingFindings(settings) };
}

/** What the hashes of the accounts are like, beside new ones. */
export function hashesCheck(dataSource: ServiceDataSource, settings: Settings): Check {
  return { name: 'hashes', look: () => hashesFinding(dataSource, settings) };
}

async function hashingFindings(settings: Settings): Promise<Finding[]> {
  const queue = new HashQueue(settings);
  // More than there are cores do not do more.
  const threads = Math.min(settings.HASH_CONCURRENCY || Infinity, availableParallelism());
  const { task, factor } = measuredTask(settings);
  // Threads that come and go would be measured too.
  queue.start();
  try {
    const [aloneMs, allMs] = await queue.reserve(undefined, async (run) => {
      const all = (): Promise<unknown> =>
        Promise.all(Array.from({ length: threads }, () => run(task)));
      // While it is quickest: at first, threads start; and others are at work.
      const quickest = async (work: () => Promise<unknown>): Promise<number> => {
        const times: number[] = [];
        const end = performance.now() + ENOUGH_MS;
        do times.push(await timed(work));
        while (times.length < ROUNDS && performance.now() < end);
        return Math.min(...times) * factor;
      };
      return [await quickest(() => run(task)), await quickest(all)];
    });
    return hashingFinding(aloneMs, (threads * 1000) / allMs, threads, settings);
  } finally {
    await queue.onApplicationShutdown();
  }
}

/** Like a new hash, or so many times cheaper. */
function measuredTask({ PASSWORD_SCHEME, BCRYPT_COST }: Settings): {
  task: HashTask;
  factor: number;
} {
  const password = 'a password of usual length';
  if (PASSWORD_SCHEME === 'argon2id') {
    return { task: { name: 'hash', scheme: PASSWORD_SCHEME, password }, factor: 1 };
  }
  const cost = Math.min(BCRYPT_COST, MEASURED_COST);
  return {
    task: { name: 'hash', scheme: PASSWORD_SCHEME, password, cost },
    factor: 2 ** (BCRYPT_COST - cost),
  };
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

function hashingFinding(
  hashMs: number,
  perSecond: number,
  threads: number,
  { PASSWORD_SCHEME, HASH_CONCURRENCY }: Settings,
): Finding[] {
  const found = `A hash takes ${hashMs.toFixed(hashMs < 10 ? 1 : 0)} ms here; with ${String(threads)} threads that is at most ${perSecond.toFixed(perSecond < 10 ? 1 : 0)} logins a second and process`;
  const findings: Finding[] = [];
  // argon2id needs memory to be guessed, not only time.
  if (hashMs < LEAST_MS && PASSWORD_SCHEME === 'bcrypt') {
    findings.push(
      advice(found, 'Raise BCRYPT_COST by one or more: each step doubles what guessing costs'),
    );
  } else if (hashMs > MOST_MS) {
    findings.push(
      advice(found, 'Lower BCRYPT_COST by one or more, or give it faster cores: people wait'),
    );
  } else findings.push(ok(found));
  if (HASH_CONCURRENCY > availableParallelism()) {
    findings.push(
      advice(
        `HASH_CONCURRENCY is ${String(HASH_CONCURRENCY)}, and there are ${String(availableParallelism())} cores`,
        'Set it to 0: more threads make each hash slower, and no more of them',
      ),
    );
  }
  return findings;
}

async function hashesFinding(
  dataSource: ServiceDataSource,
  settings: Settings,
): Promise<Finding | []> {
  // Decoys are not made here, so the key of the service is not needed.
  const keys = new SigningKeys(createSecretKey(randomBytes(32)));
  const hasher = new PasswordHasher(new HashQueue(settings), settings, keys);
  const census = await takeHashCensus(dataSource);
  const counts = { all: 0, weak: 0, dead: 0 };
  for (const [kind, count] of census) {
    const hash = decoyHash(kind);
    counts.all += count;
    if (!hasher.isVerifiable(hash)) counts.dead += count;
    else if (hasher.needsRehash(hash, '')) counts.weak += count;
  }
  const { all, weak, dead } = counts;
  if (all === 0) return [];
  const percent = (count: number): string => `${String(Math.ceil((100 * count) / all))} %`;
  if (dead > 0) {
    return advice(
      `${percent(dead)} of the accounts have a hash that nothing here verifies: they cannot log in`,
      'Install what verifies it (@node-rs/argon2), or have their owners choose another password (npm run user -- send-reset)',
    );
  }
  return weak === 0
    ? ok('The hashes of the accounts are as strong as new ones')
    : advice(
        `${percent(weak)} of the accounts have a weaker hash than new ones`,
        'Each gets a new one at its next login; of those that stay away, have the password chosen anew',
      );
}
