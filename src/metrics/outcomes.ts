import { Injectable } from '@nestjs/common';
import type { Request, Response } from 'express';
import { Counter, Registry } from 'prom-client';
import type { MessageName } from '../errors/messages';
import { routeOf, statusOf } from '../logging/request-log';

/** What becomes of an attempt. */
type Outcome =
  | 'success'
  /** A wrong password, a name that nobody has, a refresh token that is not good: nobody hears which. */
  | 'failed'
  /** The password is right, and the address not confirmed. */
  | 'unverified'
  /** The name or the address is somebody's. */
  | 'taken'
  /** Not readable, or against a rule. */
  | 'invalid'
  /** Too often. */
  | 'limited'
  /** Too many hashes are waiting. */
  | 'overloaded'
  /** Without the database, or without a mail server. */
  | 'unavailable'
  /** The client has not waited. */
  | 'gone'
  /** Nobody expected it. */
  | 'error';

/** What may become of anything. */
const ANY = ['success', 'invalid', 'limited', 'unavailable', 'gone', 'error'] as const;

/** What is refused by other words than these is invalid. */
const OF_REFUSAL: Partial<Record<MessageName, Outcome>> = {
  incorrectCredentials: 'failed',
  invalidRefreshToken: 'failed',
  emailNotVerified: 'unverified',
  userExists: 'taken',
  tooManyPasswords: 'limited',
  tooManyRequests: 'limited',
  overloaded: 'overloaded',
  unavailable: 'unavailable',
  noMail: 'unavailable',
  internal: 'error',
};

/** What people come for, each time that somebody tries. */
@Injectable()
export class Outcomes {
  private readonly logins: Counter<'outcome'>;
  private readonly registrations: Counter<'outcome'>;
  private readonly refreshes: Counter<'outcome'>;
  private readonly mailRequests: Counter<'kind' | 'outcome'>;

  constructor(registry: Registry) {
    const counter = (name: string, help: string, more: readonly Outcome[]): Counter<'outcome'> => {
      const made = new Counter({ name, help, labelNames: ['outcome'], registers: [registry] });
      // From the beginning, so that the first of each is seen to be one more.
      for (const outcome of [...ANY, ...more]) made.inc({ outcome }, 0);
      return made;
    };
    this.logins = counter('user_account_logins_total', 'Logins with a name and a password.', [
      'failed',
      'unverified',
      'overloaded',
    ]);
    this.registrations = counter('user_account_registrations_total', 'Registrations.', [
      'taken',
      'overloaded',
    ]);
    this.refreshes = counter('user_account_refreshes_total', 'Uses of refresh tokens.', ['failed']);
    this.mailRequests = new Counter({
      name: 'user_account_mail_requests_total',
      help: 'Mails that somebody asked for: to choose a password (reset), to confirm an address (verify), to have another (change).',
      labelNames: ['kind', 'outcome'],
      registers: [registry],
    });
    for (const kind of ['reset', 'verify', 'change']) {
      for (const outcome of ANY) this.mailRequests.inc({ kind, outcome }, 0);
    }
  }

  /** Counts a request that is over, if it was an attempt at any of these. */
  count(request: Request, response: Response): void {
    if (request.method !== 'POST') return;
    const outcome = outcomeOf(response);
    switch (routeOf(request)) {
      case '/user/login':
      case '/user/session':
        this.logins.inc({ outcome });
        break;
      case '/user/token':
        this.ofGrant(request)?.inc({ outcome });
        break;
      case '/user/create':
        this.registrations.inc({ outcome });
        break;
      case '/user/password/forgot':
        this.mailRequests.inc({ kind: 'reset', outcome });
        break;
      case '/user/email/verify/resend':
        this.mailRequests.inc({ kind: 'verify', outcome });
        break;
      case '/user/email':
        this.mailRequests.inc({ kind: 'change', outcome });
        break;
    }
  }

  /** Undefined for a form that says nothing of the kind. */
  private ofGrant(request: Request): Counter<'outcome'> | undefined {
    const { grant_type: grant } = (request.body ?? {}) as { grant_type?: unknown };
    if (grant === 'password') return this.logins;
    return grant === 'refresh_token' ? this.refreshes : undefined;
  }
}

function outcomeOf(response: Response): Outcome {
  const status = statusOf(response);
  if (status === 499) return 'gone';
  if (status < 400) return 'success';
  // Left there by the exception filter; a 422 has words for each field instead.
  const refusal = response.locals['refusal'] as MessageName | undefined;
  return (refusal && OF_REFUSAL[refusal]) ?? 'invalid';
}
