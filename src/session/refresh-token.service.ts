import {
  createHash,
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource, EntityManager } from 'typeorm';
import { recordEvent } from '../audit/record-event';
import { Settings } from '../config/settings';
import { SigningKeys } from '../config/signing-keys';
import type { Client } from '../http/client.decorator';
import type { StartedSession } from './session.service';
import { SECONDS_LEFT } from './user-session.entity';

const DAY_SECONDS = 24 * 60 * 60;
/** A login whose refresh token is not used for so long is over. */
const IDLE_SECONDS = 14 * DAY_SECONDS;
/** An answer that was lost, or a second tab: so long, a used token is answered again. */
const GRACE_SECONDS = 10;

/** 256 random bits, or as many of an HMAC, in base64url. */
const TOKEN = /^[\w-]{43}$/;

/** A login that a refresh token has renewed. */
export interface RenewedSession extends StartedSession {
  readonly account: { readonly id: number; readonly username: string };
  /** The successor of the token. */
  readonly refreshToken: string;
}

/** A refresh token that was used before, and now ended its login: somebody has stolen one. */
export interface Reused {
  readonly reused: true;
}

/**
 * Refresh tokens (RFC 6749 §6), rotated at each use (RFC 9700 §4.14.2): of all that a login has
 * had, one is unused. What follows a token is an HMAC of it, so that whoever asks twice gets the
 * same answer, and no token needs to be kept to give it again.
 */
@Injectable()
export class RefreshTokenService {
  /** The current one, and that of before a rotation, whose successors may be asked for once more. */
  private readonly keys: readonly [KeyObject, ...KeyObject[]];
  private readonly lifeSeconds: number;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    settings: Settings,
    keys: SigningKeys,
  ) {
    const { current, previous } = keys;
    this.keys = [derive(current), ...(previous === undefined ? [] : [derive(previous)])];
    this.lifeSeconds = settings.REFRESH_TOKEN_EXPIRE_DAYS * DAY_SECONDS;
  }

  /** Life of a login that nothing renews, in seconds. */
  get idleSeconds(): number {
    return Math.min(IDLE_SECONDS, this.lifeSeconds);
  }

  /** A token for a new login, and the hash that is to be stored. */
  create(): { token: string; hash: Buffer } {
    const token = randomBytes(32).toString('base64url');
    return { token, hash: hashOf(token) };
  }

  /**
   * Uses a token up and makes its successor. Of several uses at once, one does so; the others, and
   * all within a grace of ten seconds, get the same successor. A later use ends the login.
   *
   * @returns undefined for a token that nobody knows, or whose login is over
   */
  async use(token: string, client: Client): Promise<RenewedSession | Reused | undefined> {
    if (!TOKEN.test(token)) return undefined;
    const hash = hashOf(token);
    const [next, ...older] = this.keys.map((key) =>
      createHmac('sha256', key).update(token).digest('base64url'),
    );
    if (next === undefined) throw new Error('There is a key');
    // A transaction, though it is one statement: given up for taking too long, it is never
    // committed, and whoever asks again later has not used the token before.
    return this.dataSource.transaction(async (manager) => {
      await this.consume(manager, hash, hashOf(next));
      return this.outcome(manager, hash, [next, ...older], client);
    });
  }

  /** The login is locked first, as by whoever ends it, and then its token. */
  private async consume(manager: EntityManager, hash: Buffer, successor: Buffer): Promise<void> {
    await manager.query(
      `WITH login AS (
              UPDATE user_session s
                 SET last_used_at = now(),
                     expires_at = least(s.created_at + $3 * interval '1 second',
                                        now() + $4 * interval '1 second')
                FROM refresh_token t
               WHERE t.hash = $1 AND t.used_at IS NULL AND s.id = t.session_id
                 AND s.expires_at > now()
              RETURNING s.id),
            used AS (
              UPDATE refresh_token t SET used_at = now() FROM login
               WHERE t.hash = $1 AND t.used_at IS NULL RETURNING t.session_id)
       INSERT INTO refresh_token (hash, session_id) SELECT $2::bytea, session_id FROM used`,
      [hash, successor, this.lifeSeconds, this.idleSeconds],
    );
  }

  /** What a token is good for once it has been used, by this request or by another. */
  private async outcome(
    manager: EntityManager,
    hash: Buffer,
    successors: readonly string[],
    client: Client,
  ): Promise<RenewedSession | Reused | undefined> {
    const [found] = await manager.query<
      {
        id: string;
        generation: number;
        seconds_left: number;
        in_time: boolean;
        user_id: number;
        username: string;
        successor: Buffer | null;
      }[]
    >(
      `SELECT s.id, s.generation, ${SECONDS_LEFT}, s.user_id, u.username,
              t.used_at > now() - $2 * interval '1 second' AS in_time,
              (SELECT hash FROM refresh_token WHERE hash = ANY ($3)) AS successor
         FROM refresh_token t JOIN user_session s ON s.id = t.session_id
         JOIN "user" u ON u.id = s.user_id
        WHERE t.hash = $1 AND t.used_at IS NOT NULL AND s.expires_at > now()
          AND u.disabled_at IS NULL`,
      [hash, GRACE_SECONDS, successors.map(hashOf)],
    );
    if (found === undefined) return undefined;
    const { id, generation, seconds_left: secondsLeft, user_id: account, username } = found;
    if (found.in_time) {
      const refreshToken = successors.find((one) => found.successor?.equals(hashOf(one)));
      // Of a key that nobody has any more: it cannot be said again, and that is no theft.
      if (refreshToken === undefined) return undefined;
      return { id, generation, secondsLeft, account: { id: account, username }, refreshToken };
    }
    const [, ended] = await manager.query<[unknown, number]>(
      'DELETE FROM user_session WHERE id = $1',
      [id],
    );
    // Somebody else has ended it meanwhile.
    if (ended === 0) return undefined;
    await recordEvent(manager, client, 'authn_token_reuse', { account, session: id });
    return { reused: true };
  }
}

function derive(key: KeyObject): KeyObject {
  return createSecretKey(Buffer.from(hkdfSync('sha256', key, '', 'refresh tokens', 32)));
}

/** What is stored of a token: 256 bits of chance need neither salt nor work. */
function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
