import { isUtf8 } from 'node:buffer';
import type { PasswordHasher } from '../password/password-hasher';
import { parseEmailAddress } from '../user/email-address';
import type { StoredAccount } from '../user/user.service';
import { MAX_USERNAME_LENGTH } from '../user/username';
import { codePoints, isBlank, isStorable } from '../validation/rules';
import { printable } from './printable';

/** Longest line that is read, in bytes. */
export const MAX_LINE_BYTES = 64 * 1024;

/** Of a line, in the order in which they are written. `id` is for information: a copy has its own. */
const MEMBERS = ['id', 'username', 'email', 'password', 'email_verified_at', 'disabled_at'];

/** RFC 3339 §5.6, with the separators that ISO 8601 knows. */
const TIME = /^(\d{4}-\d\d-\d\d)T\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;
/** By whatever clock. */
const CLOCK_MS = 24 * 60 * 60 * 1000;

/** What is asked about hashes. */
type Hasher = Pick<PasswordHasher, 'isVerifiable' | 'isAffordable'>;

/** A line that is no account; the message says why, and what to do, and nothing that is secret. */
export class BadLine extends Error {
  override readonly name = 'BadLine';
}

/** An account as one line of JSON. */
export function writeAccountLine({
  id,
  username,
  email,
  password,
  emailVerifiedAt,
  disabledAt,
}: StoredAccount & { readonly id: number }): string {
  return `${JSON.stringify({
    id,
    username,
    email,
    password,
    email_verified_at: readableTime(emailVerifiedAt),
    disabled_at: readableTime(disabledAt),
  })}\n`;
}

/** A time as it can be read again: somebody may have written one of the future, or infinity. */
function readableTime(time: Date | null): Date | null {
  return time && new Date(Math.max(1, Math.min(Number(time), Date.now())));
}

/**
 * Reads a line that `writeAccountLine` or somebody else has written. A name is any that can be stored
 * and logged in with: what people may choose today is not asked of accounts that there are.
 *
 * @param hasher says which hashes are of use here
 * @returns undefined for an empty line
 * @throws BadLine
 */
export function readAccountLine(
  bytes: Buffer | undefined,
  hasher: Hasher,
): StoredAccount | undefined {
  if (bytes === undefined) {
    throw new BadLine(`longer than ${String(MAX_LINE_BYTES / 1024)} kB: one account is one line`);
  }
  const text = textOf(bytes);
  if (text === '') return undefined;
  const members = membersOf(text);
  return {
    username: usernameOf(members.get('username')),
    email: emailOf(members.get('email')),
    password: hashOf(members.get('password'), hasher),
    emailVerifiedAt: timeOf(members, 'email_verified_at'),
    disabledAt: timeOf(members, 'disabled_at'),
  };
}

function textOf(bytes: Buffer): string {
  if (!isUtf8(bytes)) throw new BadLine('not UTF-8: convert the file, say with iconv -t UTF-8');
  // The byte order mark with which files of other systems begin is white space, too.
  return bytes.toString().trim();
}

function membersOf(text: string): ReadonlyMap<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new BadLine('not JSON: each line is one object, such as {"username": …}');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new BadLine('no object: each line is one, such as {"username": …}');
  }
  const members = new Map<string, unknown>(Object.entries(value));
  const unknown = [...members.keys()].filter((name) => !MEMBERS.includes(name));
  if (unknown.length > 0) {
    const named = unknown.slice(0, 3).map((name) => printable(name, 40));
    const more = unknown.length > named.length ? ' …' : '';
    throw new BadLine(
      `unknown members ${named.join(', ')}${more}: take them out, there are only ${MEMBERS.join(', ')}`,
    );
  }
  return members;
}

function textMember(value: unknown, name: string): string {
  if (value === undefined) throw new BadLine(`${name} is missing`);
  if (typeof value !== 'string') throw new BadLine(`${name} is no text`);
  if (!isStorable(value)) throw new BadLine(`${name} has NUL or half a surrogate pair in it`);
  if (isBlank(value)) throw new BadLine(`${name} is blank`);
  return value;
}

function usernameOf(value: unknown): string {
  const username = textMember(value, 'username');
  if (codePoints(username) > MAX_USERNAME_LENGTH) {
    throw new BadLine(`username has more than ${String(MAX_USERNAME_LENGTH)} characters`);
  }
  return username;
}

function emailOf(value: unknown): string {
  const email = parseEmailAddress(textMember(value, 'email'));
  if (email === undefined) throw new BadLine('email is no address that mail can be sent to');
  return email;
}

function hashOf(value: unknown, hasher: Hasher): string {
  const hash = textMember(value, 'password');
  if (!hasher.isVerifiable(hash)) {
    throw new BadLine(
      'password is no hash that can be verified here: bcrypt, bcrypt_sha256 or argon2id, at a cost within bounds',
    );
  }
  if (!hasher.isAffordable(hash)) {
    throw new BadLine(
      'password is a hash that takes too long to verify, and would keep others waiting: have its owner choose a password',
    );
  }
  return hash;
}

function timeOf(members: ReadonlyMap<string, unknown>, name: string): Date | null {
  const value = members.get(name) ?? null;
  if (value === null) return null;
  const time = typeof value === 'string' ? pastTime(value) : undefined;
  if (time === undefined) {
    throw new BadLine(`${name} is no time of the past, such as 2026-11-22T09:00:00Z, nor null`);
  }
  return time;
}

function pastTime(text: string): Date | undefined {
  const day = TIME.exec(text)?.[1];
  const time = new Date(text);
  // A day that there is not, JavaScript makes one of the next month; what is no time, is not between.
  const isDay = day !== undefined && isoDay(new Date(day)) === day;
  return isDay && time.getTime() > 0 && time.getTime() <= Date.now() + CLOCK_MS ? time : undefined;
}

function isoDay(day: Date): string | undefined {
  return Number.isNaN(day.getTime()) ? undefined : day.toISOString().slice(0, 10);
}
