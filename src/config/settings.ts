import { isIP } from 'node:net';
import { plainToInstance, Transform } from 'class-transformer';
import {
  IsBoolean,
  IsIn,
  IsInt,
  IsIP,
  IsObject,
  IsString,
  Matches,
  Max,
  Min,
  ValidateBy,
  ValidateIf,
  validateSync,
} from 'class-validator';
import { applyDecorators } from '@nestjs/common';
import type { Environment } from './environment';
import { parseRate, type Rate } from './rate';
import { readSecretFiles } from './secret-files';
import { StartError } from './start-error';

const MINUTE = 60;
const HOUR = 60 * MINUTE;

/**
 * Every setting of the service, under the name it has in the environment, with its default.
 * `.env` explains each to the operator; a test keeps the two together.
 */
export class Settings {
  /** `production` asks for a real database and writes one JSON line a request. */
  @OneOf('development', 'production', 'test')
  readonly NODE_ENV: 'development' | 'production' | 'test' = 'development';

  /** TCP port of the API; 0 takes any free one. */
  @WholeNumber(0, 65_535)
  readonly PORT: number = 8000;

  /** Prefix that every path answers with as well as without; `/` is none. */
  @RootPath()
  readonly ROOT_PATH: string = '/api';

  /** Host of PostgreSQL, or the directory of its socket; empty starts the embedded one. */
  @Host()
  readonly INSTANCE_HOST: string = '';

  @RequiredWithInstanceHost()
  @Text()
  readonly DB_USER: string = '';

  @Text()
  readonly DB_PASS: string = '';

  /** File that holds `DB_PASS`; see `readSecretFiles`. */
  @Text()
  readonly DB_PASS_FILE: string = '';

  @RequiredWithInstanceHost()
  @Text()
  readonly DB_NAME: string = '';

  @WholeNumber(1, 65_535)
  readonly DB_PORT: number = 5432;

  /** Directory of the embedded database and of the generated key; empty chooses one. */
  @Text()
  readonly DATA_DIR: string = '';

  /** Key that signs tokens; see `signingKeys`. */
  @Text()
  readonly SECRET_KEY: string = '';

  /** File that holds `SECRET_KEY`. */
  @Text()
  readonly SECRET_KEY_FILE: string = '';

  /** Key that still verifies tokens after a rotation, and signs none. */
  @Text()
  readonly SECRET_KEY_PREVIOUS: string = '';

  /** File that holds `SECRET_KEY_PREVIOUS`. */
  @Text()
  readonly SECRET_KEY_PREVIOUS_FILE: string = '';

  /** Lets a short or well-known `SECRET_KEY` of the reference be taken over. */
  @Switch()
  readonly ALLOW_WEAK_SECRET_KEY: boolean = false;

  /** Life of an access token, in minutes. */
  @WholeNumber(1, 525_600)
  readonly ACCESS_TOKEN_EXPIRE_MINUTES: number = 1440;

  /** Life of a login that is renewed by a refresh token, in days. */
  @WholeNumber(1, 3650)
  readonly REFRESH_TOKEN_EXPIRE_DAYS: number = 30;

  /** Most live logins of an account; one more ends the oldest. */
  @WholeNumber(1, 10_000)
  readonly SESSIONS_PER_USER: number = 100;

  /** Proxies whose word on address and protocol of a client is taken; see `trustProxy`. */
  @Proxies()
  readonly TRUST_PROXY: string = '';

  /** Origins whose pages may use the API in a browser; see `corsOrigins`. */
  @Origins()
  readonly CORS_ORIGINS: string = '';

  /** How long open connections are served after the service was told to stop, in seconds. */
  @WholeNumber(0, 600)
  readonly DRAIN_SECONDS: number = 0;

  /** Whether the FastAPI backend serves the same database: hashes are ones that it verifies. */
  @Switch()
  readonly COEXIST_WITH_FASTAPI: boolean = false;

  /** Cost of bcrypt: 2 to this power rounds. */
  @WholeNumber(4, 20)
  readonly BCRYPT_COST: number = 12;

  /** Scheme of new hashes; a login replaces a hash of another. */
  @OneOf('bcrypt', 'argon2id')
  readonly PASSWORD_SCHEME: 'bcrypt' | 'argon2id' = 'bcrypt';

  /** Whether bcrypt is native code where there is a binary for it. */
  @Switch()
  readonly PASSWORD_NATIVE: boolean = true;

  /** Threads that hash; 0 is as many as the machine has cores. */
  @WholeNumber(0, 128)
  readonly HASH_CONCURRENCY: number = 0;

  /** Most work that may wait for those threads, in seconds; more is refused with 503. */
  @WholeNumber(1, 60)
  readonly HASH_QUEUE_SECONDS: number = 2;

  /** Least length of a new password, in code points. */
  @WholeNumber(1, 72)
  readonly PASSWORD_MIN_LENGTH: number = 8;

  /** Whether a new password must not be one of the common ones. */
  @Switch()
  readonly PASSWORD_BLOCKLIST: boolean = true;

  /** Whether anything is limited that can be done too often. */
  @Switch()
  readonly RATE_LIMIT: boolean = true;

  /** Most wrong passwords in a row for one account; NIST SP 800-63B-4 §3.2.2 allows 100. */
  @WholeNumber(10, 100)
  readonly LOGIN_FAILURES_PER_ACCOUNT: number = 100;

  /** Wrong passwords in a row after which strangers wait before the next. */
  @WholeNumber(1, 100)
  readonly LOGIN_FAILURES_BEFORE_DELAY: number = 10;

  /** Wrong passwords for one account from one address. */
  @RateText()
  readonly LOGIN_FAILURES_PER_ACCOUNT_AT_ADDRESS: Rate = { count: 20, seconds: HOUR };

  /** Wrong passwords from one address, for whatever accounts. */
  @RateText()
  readonly LOGIN_FAILURES_PER_ADDRESS: Rate = { count: 300, seconds: HOUR };

  @RateText()
  readonly REGISTRATIONS_PER_ADDRESS: Rate = { count: 100, seconds: HOUR };

  /** Uses of refresh tokens, good or bad, from one address. */
  @RateText()
  readonly REFRESHES_PER_ADDRESS: Rate = { count: 300, seconds: MINUTE };

  @RateText()
  readonly RENAMES_PER_ACCOUNT: Rate = { count: 20, seconds: HOUR };

  /** Mails that one address asks for, to whomever. */
  @RateText()
  readonly MAIL_REQUESTS_PER_ADDRESS: Rate = { count: 30, seconds: HOUR };

  /** Mails that anybody asks for to one mailbox. */
  @RateText()
  readonly MAILS_PER_MAILBOX: Rate = { count: 5, seconds: HOUR };

  /** Tokens and codes of mails, good or bad, from one address. */
  @RateText()
  readonly MAIL_TOKENS_PER_ADDRESS: Rate = { count: 60, seconds: HOUR };

  /** Mail server: `smtp://` or `smtps://`, with user and password; see `mail`. */
  @SmtpUrl()
  readonly SMTP_URL: string = '';

  /** File that holds `SMTP_URL`. */
  @Text()
  readonly SMTP_URL_FILE: string = '';

  /** Whom mails are from; see `mailFrom`. */
  @Sender()
  readonly MAIL_FROM: string = '';

  /** Where people open the page; what links in mails begin with. See `publicUrl`. */
  @PublicUrl()
  readonly PUBLIC_URL: string = '';

  /** Whether only accounts whose address is known to be theirs can log in. */
  @Switch()
  readonly REQUIRE_VERIFIED_EMAIL: boolean = false;

  /** How long the audit trail is kept, in days; the migrations write it into the database, but for 0. */
  @WholeNumber(0, 36_500)
  readonly AUDIT_RETENTION_DAYS: number = 0;

  /** Role that the service logs in as, where the migrations run as another, to whom all belongs. */
  @Text()
  readonly DB_SERVICE_ROLE: string = '';

  /** TCP port that answers nothing but `/metrics`; 0 is none. */
  @WholeNumber(0, 65_535)
  readonly METRICS_PORT: number = 0;

  /** Address of this machine that `METRICS_PORT` is for; `0.0.0.0` or `::` are all. */
  @Address()
  readonly METRICS_HOST: string = '127.0.0.1';

  /** What `/metrics` is answered to, as a bearer token; with it, on the port of the API too. */
  @BearerToken()
  readonly METRICS_TOKEN: string = '';

  /** File that holds `METRICS_TOKEN`. */
  @Text()
  readonly METRICS_TOKEN_FILE: string = '';

  /** `CORS_ORIGINS`, one by one. */
  get corsOrigins(): string[] {
    return this.CORS_ORIGINS === '' ? [] : commaSeparated(this.CORS_ORIGINS);
  }

  /** `TRUST_PROXY` as Express takes it: a number of hops, or addresses. */
  get trustProxy(): number | string[] {
    const { TRUST_PROXY } = this;
    if (/^\d*$/.test(TRUST_PROXY)) return Number(TRUST_PROXY);
    return commaSeparated(TRUST_PROXY);
  }

  /**
   * What becomes of mails: they are sent; or kept and shown to whoever sits at this machine, with the
   * embedded database; or there are none.
   */
  get mail(): 'sent' | 'kept' | 'none' {
    if (this.SMTP_URL !== '') return 'sent';
    return this.embedded ? 'kept' : 'none';
  }

  /** `PUBLIC_URL`, or where the page of an embedded database is. Never with a slash at its end. */
  get publicUrl(): string {
    return this.PUBLIC_URL === '' ? `http://localhost:${String(this.PORT)}` : this.PUBLIC_URL;
  }

  /** `MAIL_FROM`, or nobody at the host of `publicUrl`. */
  get mailFrom(): string {
    return this.MAIL_FROM === '' ? `no-reply@${new URL(this.publicUrl).hostname}` : this.MAIL_FROM;
  }

  /** Whether anybody can ask for metrics: else nothing is measured. */
  get isMeasured(): boolean {
    return this.METRICS_PORT !== 0 || this.METRICS_TOKEN !== '';
  }

  /** Whether the service brings its own PostgreSQL. */
  get embedded(): boolean {
    return this.INSTANCE_HOST === '';
  }
}

/** Settings that do not allow a start; the message says which, and what is wanted. */
export class SettingsError extends StartError {
  override readonly name = 'SettingsError';

  /** @param problems one sentence per setting, each beginning with the setting's name */
  constructor(readonly problems: readonly string[]) {
    super(`Cannot start, because of the settings:\n${problems.map((p) => `  ${p}`).join('\n')}`);
  }
}

/**
 * The settings that an environment describes, and the files of secrets that it names. Names that
 * are no setting are left aside.
 *
 * @throws SettingsError naming every bad or missing setting, never its value
 */
export function parseSettings(environment: Environment): Settings {
  const { secrets, problems: unreadable } = readSecretFiles(environment);
  const all = { ...environment, ...secrets };
  const names = Object.keys(new Settings()).filter((name) => all[name] !== undefined);
  const given = Object.fromEntries(names.map((name) => [name, all[name]]));
  const settings = plainToInstance(Settings, given);
  const invalid = validateSync(settings, { stopAtFirstError: true }).map(
    ({ property, constraints }) => `${property} ${Object.values(constraints ?? {}).join(', ')}`,
  );
  const problems = [...unreadable, ...invalid];
  if (settings.NODE_ENV === 'production' && settings.embedded) {
    problems.push(
      'INSTANCE_HOST must name a PostgreSQL server in production: the embedded one is for trying, developing and testing',
    );
  }
  if (settings.COEXIST_WITH_FASTAPI && settings.PASSWORD_SCHEME !== 'bcrypt') {
    problems.push(
      'PASSWORD_SCHEME must be bcrypt while COEXIST_WITH_FASTAPI is on: the FastAPI backend verifies nothing else',
    );
  }
  if (settings.mail === 'sent' && settings.PUBLIC_URL === '' && !settings.embedded) {
    problems.push(
      'PUBLIC_URL is missing: with SMTP_URL set, links in mails begin with it, such as https://accounts.example.com',
    );
  }
  if (settings.mail === 'none' && settings.REQUIRE_VERIFIED_EMAIL) {
    problems.push(
      'SMTP_URL is missing: with REQUIRE_VERIFIED_EMAIL on, who signs up gets a mail before they can log in',
    );
  }
  if (settings.METRICS_PORT !== 0 && settings.METRICS_PORT === settings.PORT) {
    problems.push('METRICS_PORT must be another than PORT, or 0 for none');
  }
  if (problems.length > 0) throw new SettingsError(problems);
  return settings;
}

function Host(): PropertyDecorator {
  return Matches(/^(\/.*|[\w.:-]*)$/, {
    message: 'must be the name or address of a host, or the directory of a socket; no URL',
  });
}

function Address(): PropertyDecorator {
  return IsIP(undefined, { message: 'must be an address of this machine, or 0.0.0.0 for all' });
}

function SmtpUrl(): PropertyDecorator {
  return ValidateBy({
    name: 'smtpUrl',
    validator: {
      validate: (value) => value === '' || (typeof value === 'string' && isSmtpUrl(value)),
      defaultMessage: () =>
        'must be like smtps://user:password@mail.example.com or smtp://mail.example.com:25; special characters of the password percent-encoded',
    },
  });
}

/** Of a mail server, and without options: some would have what is sent logged. */
function isSmtpUrl(text: string): boolean {
  return /^smtps?:\/\/[^\s/?#]+\/?$/.test(text) && URL.canParse(text);
}

/** One address, with a name before it or without. */
function Sender(): PropertyDecorator {
  return Matches(/^([^<>@,;:\r\n]*<[^\s<>@,;]+@[^\s<>@,;]+>|[^\s<>@,;]+@[^\s<>@,;]+)?$/, {
    message: 'must be an address like accounts@example.com, or Accounts <accounts@example.com>',
  });
}

function PublicUrl(): PropertyDecorator {
  return ValidateBy({
    name: 'publicUrl',
    validator: {
      validate: (value) => value === '' || (typeof value === 'string' && isPublicUrl(value)),
      defaultMessage: () =>
        'must be where people open the page, such as https://accounts.example.com: no slash at the end',
    },
  });
}

/** Of the web, written as a browser would, and with a path if the page has one. */
function isPublicUrl(text: string): boolean {
  if (!/^https?:/.test(text) || !URL.canParse(text)) return false;
  const { origin, pathname } = new URL(text);
  return text === origin + pathname.replace(/\/$/, '');
}

/** As RFC 6750 §2.1 has it; and nobody guesses it. */
function BearerToken(): PropertyDecorator {
  return Matches(/^([\w.~+/-]{16,}=*)?$/, {
    message: 'must be 16 letters, digits or -._~+/ at least, such as openssl rand -hex 32 makes',
  });
}

function Text(): PropertyDecorator {
  return IsString();
}

function Proxies(): PropertyDecorator {
  return ValidateBy({
    name: 'proxies',
    validator: {
      validate: (value) =>
        typeof value === 'string' && (/^\d?$/.test(value) || commaSeparated(value).every(isProxy)),
      defaultMessage: () =>
        'must be the number of proxies before the service, or their addresses or subnets, with commas',
    },
  });
}

function Origins(): PropertyDecorator {
  return ValidateBy({
    name: 'origins',
    validator: {
      validate: (value) =>
        value === '' || (typeof value === 'string' && commaSeparated(value).every(isOrigin)),
      defaultMessage: () =>
        'must be origins like https://app.example.com, as browsers name them: no path, no slash at the end, no *; with commas',
    },
  });
}

/** Of the web, and written as a browser would. */
function isOrigin(text: string): boolean {
  return /^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text;
}

function commaSeparated(text: string): string[] {
  return text.split(',').map((item) => item.trim());
}

/** An address, a subnet, or one of Express's names for some. */
function isProxy(text: string): boolean {
  if (/^(loopback|linklocal|uniquelocal)$/.test(text)) return true;
  const [address = '', bits = '1', ...rest] = text.split('/');
  const version = isIP(address);
  const most = version === 4 ? 32 : 128;
  return version > 0 && rest.length === 0 && /^[1-9]\d{0,2}$/.test(bits) && Number(bits) <= most;
}

function RootPath(): PropertyDecorator {
  return applyDecorators(
    Transform(({ value }: { value: unknown }) => (value === '/' ? '' : value)),
    Matches(/^(\/[\w.-]+)*$/, {
      message: 'must be a path like /api, without a slash at its end, or / for none',
    }),
  );
}

function OneOf(...values: string[]): PropertyDecorator {
  return IsIn(values, { message: `must be one of ${values.join(', ')}` });
}

function WholeNumber(least: number, most: number): PropertyDecorator {
  const message = `must be a whole number from ${String(least)} to ${String(most)}`;
  return applyDecorators(
    Transform(({ value }: { value: unknown }) =>
      typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value,
    ),
    IsInt({ message }),
    Min(least, { message }),
    Max(most, { message }),
  );
}

function RateText(): PropertyDecorator {
  return applyDecorators(
    Transform(({ value }: { value: unknown }) =>
      typeof value === 'string' ? (parseRate(value) ?? value) : value,
    ),
    IsObject({
      message: 'must be a whole number and second, minute, hour or day, such as 100/hour',
    }),
  );
}

const SWITCH: Readonly<Record<string, boolean>> = {
  true: true,
  on: true,
  false: false,
  off: false,
};

function Switch(): PropertyDecorator {
  return applyDecorators(
    Transform(({ value }: { value: unknown }) =>
      typeof value === 'string' ? (SWITCH[value.toLowerCase()] ?? value) : value,
    ),
    IsBoolean({ message: 'must be on, off, true or false' }),
  );
}

function RequiredWithInstanceHost(): PropertyDecorator {
  return applyDecorators(
    ValidateIf((settings: Settings) => !settings.embedded),
    Matches(/./, { message: 'is missing: with INSTANCE_HOST set, it must say which to use' }),
  );
}
