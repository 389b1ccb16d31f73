import {
  createHash,
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
  randomInt,
} from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { EntityManager, Repository } from 'typeorm';
import { SigningKeys } from '../config/signing-keys';
import { type Purpose, RecoveryToken } from './recovery-token.entity';

const HOUR_SECONDS = 60 * 60;
const LIFE_SECONDS: Readonly<Record<Purpose, number>> = {
  reset: HOUR_SECONDS,
  verify: 24 * HOUR_SECONDS,
  change: 24 * HOUR_SECONDS,
  revert: 7 * 24 * HOUR_SECONDS,
  kept: 7 * 24 * HOUR_SECONDS,
};
const CODE_SECONDS = 10 * 60;
const CODE_DIGITS = 8;
const CODE_TRIES = 5;

/** 256 random bits in base64url. */
const TOKEN = /^[\w-]{43}$/;
const CODE = new RegExp(`^\\d{${String(CODE_DIGITS)}}$`);

/** What goes into a mail. */
export interface Issued {
  readonly token: string;
  /** Typed instead of it, where somebody may have to. */
  readonly code?: string;
}

/** A token that is good, and was not used yet. */
export type Presented = Pick<RecoveryToken, 'hash' | 'userId' | 'purpose' | 'email' | 'mailId'>;

/**
 * Tokens that are sent by mail: 256 random bits, of which SHA-256 is kept, good once and for one
 * purpose; and, for ten minutes, codes of eight digits beside them, of which five are tried at most.
 */
@Injectable()
export class RecoveryTokenService {
  private readonly codeKey: KeyObject;
  /** The current one, and that of before a rotation, whose codes may still be typed. */
  private readonly codeKeys: readonly KeyObject[];

  constructor(
    @InjectRepository(RecoveryToken) private readonly tokens: Repository<RecoveryToken>,
    keys: SigningKeys,
  ) {
    const { current, previous } = keys;
    this.codeKey = derive(current);
    this.codeKeys = [this.codeKey, ...(previous === undefined ? [] : [derive(previous)])];
  }

  /**
   * Makes a token for a mail that is about to be sent to this address, in the transaction in which it
   * was found to be wanted.
   */
  async issue(
    manager: EntityManager,
    purpose: Purpose,
    userId: number,
    { id: mailId, email }: { readonly id: string; readonly email: string },
  ): Promise<Issued> {
    const token = randomBytes(32).toString('base64url');
    const code =
      purpose === 'revert'
        ? undefined
        : String(randomInt(10 ** CODE_DIGITS)).padStart(CODE_DIGITS, '0');
    await manager.query(
      `INSERT INTO recovery_token
              (hash, user_id, purpose, email, mail_id, expires_at, code_hash, code_expires_at)
       VALUES ($1, $2, $3, $4, $5, now() + $6 * interval '1 second', $7,
               CASE WHEN $7::bytea IS NOT NULL THEN now() + $8 * interval '1 second' END)`,
      [
        digestOf(token),
        userId,
        purpose,
        email,
        mailId,
        LIFE_SECONDS[purpose],
        code === undefined ? null : codeDigest(this.codeKey, purpose, email, code),
        CODE_SECONDS,
      ],
    );
    return { token, ...(code !== undefined && { code }) };
  }

  /**
   * Looks for the token that somebody has brought, or the one that belongs to the code that they have
   * typed. A code that is looked for is a try, of all that were sent to the address for this. What is
   * written then costs the same where there is none: else the time would tell who has an account.
   *
   * @param email with a code: where it was sent
   * @returns undefined for what is unknown, used, too old, or was tried too often
   */
  async find(
    purposes: readonly Purpose[],
    text: string,
    email: string | undefined,
  ): Promise<Presented | undefined> {
    const typed = text.trim();
    if (TOKEN.test(typed)) {
      const [found] = await this.tokens.query<Presented[]>(
        `SELECT ${PRESENTED} FROM recovery_token
          WHERE hash = $1 AND purpose = ANY ($2) AND expires_at > now()`,
        [digestOf(typed), purposes],
      );
      return found;
    }
    const code = typed.replace(/[ -]/g, '');
    if (!CODE.test(code) || email === undefined) return undefined;
    // Each statement counts before the next one looks: of many at once, five are looked at. The message
    // is for nobody, and makes every commit write to disk.
    const tried = await this.tokens.query<(Presented & { code_hash: Buffer | null })[]>(
      `WITH tried AS (
         UPDATE recovery_token SET code_tries = code_tries + 1
          WHERE email = ANY ($1) AND purpose = ANY ($2) AND code_expires_at > now()
            AND code_tries < $3
         RETURNING ${PRESENTED}, code_hash)
       SELECT tried.* FROM pg_logical_emit_message(true, '', '') AS message LEFT JOIN tried ON true`,
      [addressesMeant(email), purposes, CODE_TRIES],
    );
    return tried.find(({ code_hash: hash, purpose, email: to }) =>
      this.codeKeys.some((key) => hash?.equals(codeDigest(key, purpose, to, code))),
    );
  }

  /**
   * Uses a token up, in the transaction of what it is good for. The row decides: of several at once,
   * one does.
   *
   * @returns whether it was still there
   */
  async use(manager: EntityManager, { hash }: Presented): Promise<boolean> {
    // Of a DELETE, TypeORM answers the rows and how many they are.
    const [, count] = await manager.query<[unknown, number]>(
      'DELETE FROM recovery_token WHERE hash = $1 AND expires_at > now()',
      [hash],
    );
    return count === 1;
  }

  /** Uses all of an account up that are for these purposes, in the transaction of what is the reason. */
  async endAll(
    manager: EntityManager,
    userId: number,
    purposes: readonly Purpose[],
  ): Promise<void> {
    await manager.query('DELETE FROM recovery_token WHERE user_id = $1 AND purpose = ANY ($2)', [
      userId,
      purposes,
    ]);
  }

  /**
   * Uses up what could undo a change that has been undone itself, or was made after it. What undoes
   * an earlier one stays: its address may be the owner's.
   */
  async endReverted(
    manager: EntityManager,
    { userId, email, mailId }: Pick<Presented, 'userId' | 'email' | 'mailId'>,
  ): Promise<void> {
    await manager.query(
      `DELETE FROM recovery_token
        WHERE user_id = $1 AND purpose IN ('revert', 'kept') AND (email = $2 OR mail_id > $3)`,
      [userId, email, mailId],
    );
  }

  /**
   * The first change by which an account has given this address up and could still have it back.
   *
   * @returns its mail; undefined if there is none
   */
  async changeFrom(
    manager: EntityManager,
    userId: number,
    email: string,
  ): Promise<string | undefined> {
    const [found] = await manager.query<[{ mailId: string | null }]>(
      `SELECT min(mail_id) AS "mailId" FROM recovery_token
        WHERE user_id = $1 AND email = $2 AND purpose IN ('revert', 'kept') AND expires_at > now()`,
      [userId, email],
    );
    return found.mailId ?? undefined;
  }

  /** What was sent to an address to take it back is good for its time from now, when it was given up. */
  async prolongRevert(manager: EntityManager, userId: number, email: string): Promise<void> {
    await manager.query(
      `UPDATE recovery_token SET expires_at = now() + $3 * interval '1 second'
        WHERE user_id = $1 AND purpose = 'revert' AND email = $2`,
      [userId, email, LIFE_SECONDS.revert],
    );
  }

  /**
   * Keeps an address for the account that has just given it up, as long as that can be taken back.
   *
   * @param change its account, and the mail of it
   */
  async keep(
    manager: EntityManager,
    { userId, mailId }: Pick<Presented, 'userId' | 'mailId'>,
    email: string,
  ): Promise<void> {
    await manager.query(
      `INSERT INTO recovery_token (hash, user_id, purpose, email, mail_id, expires_at)
       VALUES ($1, $2, 'kept', $3, $4, now() + $5 * interval '1 second')`,
      [randomBytes(32), userId, email, mailId, LIFE_SECONDS.kept],
    );
  }

  /** Whether an address is kept for another account. */
  async isKeptForAnother(manager: EntityManager, email: string, userId = 0): Promise<boolean> {
    const rows = await manager.query<unknown[]>(
      `SELECT FROM recovery_token
        WHERE email = $1 AND purpose = 'kept' AND user_id <> $2 AND expires_at > now() LIMIT 1`,
      [email, userId],
    );
    return rows.length > 0;
  }

  /** Those of some addresses that are kept for an account. */
  async keptAmong(manager: EntityManager, emails: readonly string[]): Promise<Set<string>> {
    const rows = await manager.query<{ email: string }[]>(
      `SELECT email FROM recovery_token
        WHERE email = ANY ($1) AND purpose = 'kept' AND expires_at > now()`,
      [emails],
    );
    return new Set(rows.map(({ email }) => email));
  }
}

function derive(key: KeyObject): KeyObject {
  return createSecretKey(Buffer.from(hkdfSync('sha256', key, '', 'recovery codes', 32)));
}

/** Keyed: eight digits are soon tried through. */
function codeDigest(key: KeyObject, purpose: Purpose, email: string, code: string): Buffer {
  return createHmac('sha256', key).update(`${purpose}:${code}:${email}`).digest();
}

const PRESENTED = 'hash, user_id AS "userId", purpose, email, mail_id AS "mailId"';

/**
 * What an address may be in the table that somebody has typed: the same, or all in small letters,
 * where the keyboard of a phone began with a capital.
 */
export function addressesMeant(email: string): string[] {
  return [...new Set([email, email.toLowerCase()])];
}

/** What is stored of a token: 256 bits of chance need neither salt nor work. */
function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
