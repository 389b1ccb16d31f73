import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { EntityManager, Repository } from 'typeorm';
import { ACCOUNT_COLUMNS, User } from '../user/user.entity';
import { RevokedToken } from './revoked-token.entity';

/** Longest life of a token of the reference, in seconds. */
export const REFERENCE_TOKEN_SECONDS = 24 * 60 * 60;

/** A token of the reference, whose signature and expiry are good. It belongs to no login. */
export interface ReferenceToken {
  readonly username: string;
  /** Seconds since 1970. */
  readonly issuedAt: number;
  readonly expiresAt: number;
  /** Header and claims as they are in the token: what was signed. */
  readonly signed: string;
}

/**
 * Tokens of the reference, which name nothing but an account. One alone is ended by what was signed:
 * of its whole text, the last bits stand for nothing. All of an account are ended by its
 * `not_before`, to the next full second, because a token says no more of when it was issued; and
 * all of a name that is given up, by the name, whoever takes it next.
 */
@Injectable()
export class ReferenceTokenService {
  constructor(@InjectRepository(RevokedToken) private readonly revoked: Repository<RevokedToken>) {}

  /** The account that a token speaks for, unless it is dead. One query. */
  async accountOf({ username, issuedAt, signed }: ReferenceToken): Promise<User | null> {
    const [user] = await this.revoked.query<User[]>(
      `SELECT ${ACCOUNT_COLUMNS} FROM "user"
        WHERE username = $1 AND ${ALIVE}`,
      [username, issuedAt, [digestOf('token', signed), digestOf('name', username)]],
    );
    return user ?? null;
  }

  /** Whether a token is not dead, whatever its account is called by now. */
  async isAlive(
    manager: EntityManager,
    { username, issuedAt, signed }: ReferenceToken,
    userId: number,
  ): Promise<boolean> {
    const rows = await manager.query<unknown[]>(`SELECT FROM "user" WHERE id = $1 AND ${ALIVE}`, [
      userId,
      issuedAt,
      [digestOf('token', signed), digestOf('name', username)],
    ]);
    return rows.length === 1;
  }

  /** Ends one token. */
  async end(manager: EntityManager, { signed, expiresAt }: ReferenceToken): Promise<void> {
    await manager.query(
      `INSERT INTO revoked_token (digest, issued_before, expires_at)
       VALUES ($1, to_timestamp($2), to_timestamp($2)) ON CONFLICT DO NOTHING`,
      [digestOf('token', signed), expiresAt],
    );
  }

  /** Ends every token of an account, in the transaction of what is the reason. */
  async endAll(manager: EntityManager, userId: number): Promise<void> {
    await manager.update(User, { id: userId }, { notBefore: () => NEXT_SECOND });
  }

  /** Ends every token of a name that is given up, in the transaction in which it is. */
  async endName(manager: EntityManager, username: string): Promise<void> {
    await manager.query(
      `INSERT INTO revoked_token (digest, issued_before, expires_at)
       VALUES ($1, ${NEXT_SECOND}, ${NEXT_SECOND} + $2 * interval '1 second')
       ON CONFLICT (digest) DO UPDATE
         SET issued_before = excluded.issued_before, expires_at = excluded.expires_at`,
      [digestOf('name', username), REFERENCE_TOKEN_SECONDS],
    );
  }
}

/** Given, as second and third parameter, when a token was issued and the digests that may be dead. */
const ALIVE = `disabled_at IS NULL AND not_before <= to_timestamp($2) AND NOT EXISTS (
  SELECT FROM revoked_token WHERE digest = ANY ($3) AND issued_before > to_timestamp($2))`;

/** First time that a token issued from now on may bear: they are dated by full seconds. */
const NEXT_SECOND = `(date_trunc('second', clock_timestamp()) + interval '1 second')`;

function digestOf(kind: 'token' | 'name', text: string): Buffer {
  return createHash('sha256').update(`${kind}:${text}`).digest();
}
