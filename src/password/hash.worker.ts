import { createHmac, randomBytes } from 'node:crypto';
import { workerData } from 'node:worker_threads';
import type * as Argon2 from '@node-rs/argon2';
import type * as NativeBcrypt from 'bcrypt';
import * as bcryptjs from 'bcryptjs';
import { ARGON2ID, BCRYPT_MAX_BYTES, bcryptInside, bcryptSettings, parseHash } from './hash-format';

/** One piece of work for a thread of the pool. */
export type HashTask =
  | {
      readonly name: 'hash';
      readonly password: string;
      readonly scheme: 'bcrypt';
      readonly cost: number;
    }
  | { readonly name: 'hash'; readonly password: string; readonly scheme: 'argon2id' }
  | { readonly name: 'verify'; readonly password: string; readonly hash: string };

/** What every thread is told when it starts. */
export interface HashWorkerData {
  /** Whether bcrypt is native code, or JavaScript. */
  readonly native: boolean;
}

/** What bcrypt in C and bcryptjs have in common. */
interface Bcrypt {
  /** @param salt with prefix and cost, 29 characters */
  hashSync(password: string, salt: string): string;
  compareSync(password: string, hash: string): boolean;
}

// Node types it as anything: it is what the pool gives each thread.
const { native } = workerData as HashWorkerData;
const bcrypt: Bcrypt = native ? nativeBcrypt() : bcryptjs;

/** Blocks its thread, which has nothing else to do; elsewhere these calls would block everyone. */
export default function work(task: HashTask): string | boolean {
  if (task.name === 'verify') return verify(task.password, task.hash);
  return task.scheme === 'argon2id'
    ? argon2().hashSync(task.password, ARGON2ID)
    : hash(task.password, task.cost);
}

/** Short passwords as bcrypt takes them, longer ones digested first, so that no byte is ignored. */
function hash(password: string, cost: number): string {
  const salt = bcryptjs.encodeBase64(randomBytes(16), 16);
  const settings = bcryptSettings(cost);
  if (Buffer.byteLength(password) <= BCRYPT_MAX_BYTES)
    return bcrypt.hashSync(password, settings + salt);
  const digest = bcrypt.hashSync(digested(password, salt), settings + salt).slice(-31);
  return `$bcrypt-sha256$v=2,t=2b,r=${String(cost)}$${salt}$${digest}`;
}

function verify(password: string, stored: string): boolean {
  if (parseHash(stored)?.scheme === 'argon2id') return argon2().verifySync(stored, password);
  const { bcrypt: hash, keyedWith } = bcryptInside(stored);
  return bcrypt.compareSync(
    keyedWith === undefined ? password : digested(password, keyedWith),
    hash,
  );
}

/** passlib's `bcrypt_sha256`, version 2: HMAC-SHA256 keyed with the salt as it is written. */
function digested(password: string, salt: string): string {
  return createHmac('sha256', salt).update(password).digest('base64');
}

function nativeBcrypt(): Bcrypt {
  // Loaded only where it is there: there is no binary for every platform.
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- and import() would be asynchronous
  return require('bcrypt') as typeof NativeBcrypt;
}

function argon2(): typeof Argon2 {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- as above
  return require('@node-rs/argon2') as typeof Argon2;
}
