import { createHmac, randomBytes } from 'node:crypto';
import { workerData } from 'node:worker_threads';
import type * as Argon2 from '@node-rs/argon2';
import type * as NativeBcrypt from '@node-rs/bcrypt';
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

interface Bcrypt {
  /** @param salt with prefix and cost, 29 characters */
  hash(password: string, salt: string): string;
  verify(password: string, hash: string): boolean;
}

// Node types it as anything: it is what the pool gives each thread.
const { native } = workerData as HashWorkerData;
const bcrypt = native ? nativeBcrypt() : javaScriptBcrypt();

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
    return bcrypt.hash(password, settings + salt);
  const digest = bcrypt.hash(digested(password, salt), settings + salt).slice(-31);
  return `$bcrypt-sha256$v=2,t=2b,r=${String(cost)}$${salt}$${digest}`;
}

function verify(password: string, stored: string): boolean {
  const inner = bcryptInside(stored);
  if (inner !== undefined) return bcrypt.verify(digested(password, inner.salt), inner.bcrypt);
  return parseHash(stored)?.scheme === 'argon2id'
    ? argon2().verifySync(stored, password)
    : bcrypt.verify(password, stored);
}

/** passlib's `bcrypt_sha256`, version 2: HMAC-SHA256 keyed with the salt as it is written. */
function digested(password: string, salt: string): string {
  return createHmac('sha256', salt).update(password).digest('base64');
}

function nativeBcrypt(): Bcrypt {
  // Loaded only where it is there: there is no binary for every platform.
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- and import() would be asynchronous
  const { hashSync, verifySync } = require('@node-rs/bcrypt') as typeof NativeBcrypt;
  return {
    hash(password, salt) {
      const bytes = bcryptjs.decodeBase64(salt.slice(-22), 16);
      return hashSync(password, Number(salt.slice(4, 6)), Uint8Array.from(bytes));
    },
    verify: verifySync,
  };
}

function javaScriptBcrypt(): Bcrypt {
  return { hash: bcryptjs.hashSync, verify: bcryptjs.compareSync };
}

function argon2(): typeof Argon2 {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- as above
  return require('@node-rs/argon2') as typeof Argon2;
}
