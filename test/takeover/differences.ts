import type { FieldError } from '../../src/errors/api-error';
import { errorBody, validationBody } from '../../src/errors/error-body';
import type { FieldMessageName, MessageName } from '../../src/errors/messages';
import { DAY } from '../support/token';
import type { Outcome } from './answer';

/**
 * Everything that is known to be other than in the reference, by the words with which the README's
 * list of differences begins its rows, and why it is so.
 */
export const KNOWN = {
  'NUL or half a surrogate pair in a name or password':
    'neither can be stored, and a 500 says nothing',
  'Two registrations of one name at once': 'the database decides, and the others are told',
  'A password of more than 72 bytes': 'what bcrypt ignores must not seem to protect anybody',
  Passwords: 'what is hashed is bounded, and the same on whatever machine it is typed',
  Usernames: 'nobody can type what is not seen, and an index bounds how long one can be',
  'A name that somebody has in another case':
    'a look at it must tell who it is, and width and normal form show no better',
  'A name in letters of several scripts, or that looks like ASCII and is not':
    'a look at it must tell who it is',
  'A number or `true` where a text belongs': 'the name would be another than was sent',
  'An array of pairs for an object, `[]` and `""` for an empty one': 'it is no object',
  '`NaN` and `Infinity`, JSON in UTF-16 that does not say so': 'neither is JSON',
  'JSON that cannot be parsed': 'the parser is another',
  'The charset that a body says it is in': 'a client knows what it sends',
  'A form field given twice': 'whoever sends two may mean either',
  'A form whose fields `;` separates': 'the standard has known `&` only for years',
  'A multipart form that is broken': 'the parser is another',
  '`grant_type=password…`': 'the reference forgot the end of a regular expression',
  "A login's 401": 'RFC 6749 wants an error code',
  "A login's 200": 'clients want to know when to log in again',
  "A token's claims": 'a login can be ended',
  'A token after its account was deleted, and its name taken again': 'it is another account',
  'A token without `exp`, or good for longer than 24 hours from now':
    'the reference never made one',
  'A token with `crit`, padding, an `exp` in quotes, or issued in the future':
    'the reference never made one',
  "A bad token's challenge": 'RFC 6750 wants an error code',
  'A token in the cookie `session`': 'browsers log in so',
  'What `GET /user/me` answers': 'an address can be confirmed',
  'Wrong passwords, registrations': 'nobody is to guess, or to fill the table',
  'An unknown user': 'the time must not tell who has an account',
  'A body over 64 kB, JSON deeper than 32, a form of over 100 fields': 'what is read is bounded',
  'A query of over 100 parameters': 'what is read is bounded',
  '`HEAD`, `OPTIONS`': 'RFC 9110 wants them',
  '`PATCH /user/me`, and `Allow` there': 'it changes the name',
  'A slash at the end of a path': 'there is nothing',
  'A path with letters in percent': 'nobody writes them so',
  'The prefix `/api`': 'nobody has to have a proxy',
  'The page at `/`, and `/redoc`': 'there is one for people, and one documentation',
  'A few email domains that Unicode 15 and later let be': 'the tables are newer',
} as const;

export type Known = keyof typeof KNOWN;

/** Something of what is known, as it shows in the answer to one request. */
export interface Difference {
  readonly known: Known;
  /** What comes of the request at the service, given what came of it at the reference. */
  readonly change: (theirs: Outcome) => Outcome;
}

// --- what the reference takes or fails at, and the service refuses

/** Of a field that is wrong, what is said about it. */
export function wrong(
  field: string,
  messageName: FieldMessageName,
  parameter?: number | string,
): FieldError {
  return { loc: ['body', field], messageName, ...(parameter !== undefined && { parameter }) };
}

/** 422 in the words of the service. */
export function refused(known: Known, ...errors: FieldError[]): Difference {
  return answered(known, 422, validationBody(errors, 'reference'));
}

/** An error that is told in one message. */
export function failed(
  known: Known,
  status: number,
  messageName: MessageName,
  headers: Record<string, string> = {},
): Difference {
  return answered(known, status, errorBody({ messageName, members: {} }, 'reference'), headers);
}

/** 401 for a token. */
export function tokenRefused(known: Known): Difference {
  return failed(known, 401, 'invalidToken', { 'www-authenticate': INVALID_TOKEN });
}

/** Any answer; it stores nothing. */
export function answered(
  known: Known,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): Difference {
  const type = body === null ? {} : { 'content-type': 'application/json' };
  return {
    known,
    change: () => ({ status, headers: { ...type, ...headers }, body, stored: [] }),
  };
}

// --- what both answer, and not with the same words

/** Where JSON is wrong is told by the parser, which is another with another version of Node. */
const SOMEWHERE = expect.arrayContaining(['body']) as string[];
export const NOT_JSON: FieldError = { loc: SOMEWHERE, messageName: 'json' };

export const otherWordsForJson: Difference = {
  known: 'JSON that cannot be parsed',
  change: (theirs) => ({ ...theirs, body: validationBody([NOT_JSON], 'reference') }),
};

const INVALID_TOKEN = 'Bearer error="invalid_token"';

export const challengeSaysWhy: Difference = {
  known: "A bad token's challenge",
  change: (theirs) => ({
    ...theirs,
    headers: { ...theirs.headers, 'www-authenticate': INVALID_TOKEN },
  }),
};

export const loginRefusedForOAuth: Difference = withMembers("A login's 401", {
  error: 'invalid_grant',
  error_description: 'Incorrect username or password',
});

const loginTellsItsLife = withMembers("A login's 200", { expires_in: DAY });

const tokenNamesItsLogin: Difference = {
  known: "A token's claims",
  change: (theirs) => {
    const { access_token: token, ...rest } = theirs.body as { access_token: object };
    const claims = ['sub', 'sid', 'jti', 'iat', 'exp'];
    return { ...theirs, body: { ...rest, access_token: { ...token, claims } } };
  },
};

/** Every login that succeeds. */
export const LOGGED_IN = [loginTellsItsLife, tokenNamesItsLogin] as const;

export const saysWhetherConfirmed: Difference = withMembers('What `GET /user/me` answers', {
  email_verified_at: null,
});

export const refreshTokenToo: Difference = withMembers("A login's 200", {
  refresh_token: expect.any(String) as string,
  scope: 'offline_access',
});

function withMembers(known: Known, members: object): Difference {
  return {
    known,
    change: (theirs) => ({ ...theirs, body: { ...(theirs.body as object), ...members } }),
  };
}
