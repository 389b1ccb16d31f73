import { MESSAGES } from '../../../src/errors/messages';
import { answered, type Difference, failed, type Known } from '../differences';
import type { Case } from './case';

const [CREATE, LOGIN, ME] = ['/user/create', '/user/login', '/user/me'];

const HEAD_OPTIONS: Known = '`HEAD`, `OPTIONS`';
const PATCH: Known = '`PATCH /user/me`, and `Allow` there';
const METHODS_OF_ME = 'GET, HEAD, PATCH';

const noSlash = failed('A slash at the end of a path', 404, 'notFound');
const noEncoding = failed('A path with letters in percent', 404, 'notFound');
const tooMany = failed('A query of over 100 parameters', 400, 'badRequest');
const page: Difference = {
  known: 'The page at `/`, and `/redoc`',
  change: () => ({
    status: 200,
    headers: { 'content-type': 'text/html; charset=utf-8' },
    body: expect.stringMatching(/^<!doctype html>/),
    stored: [],
  }),
};

function options(allow: string): Difference {
  return answered(HEAD_OPTIONS, 204, null, { allow });
}

const allowPatch: Difference = {
  known: PATCH,
  change: (theirs) => ({ ...theirs, headers: { ...theirs.headers, allow: METHODS_OF_ME } }),
};

const unauthenticated = (known: Known, body: unknown): Difference => ({
  known,
  change: () => ({
    status: 401,
    headers: { 'content-type': 'application/json', 'www-authenticate': 'Bearer' },
    body,
    stored: [],
  }),
});
const NOT_AUTHENTICATED = { detail: MESSAGES.notAuthenticated.reference };

export const PATHS: readonly Case[] = (
  [
    ...[CREATE, LOGIN].flatMap((path): [string, string, ...Difference[]][] => [
      ['GET', path],
      ['HEAD', path],
      ['PUT', path],
      ['PATCH', path],
      ['DELETE', path],
      ['OPTIONS', path, options('POST')],
      ['POST', `${path}/`, noSlash],
    ]),
    ['GET', `${ME}?${'a=1&'.repeat(99)}a=1`],
    ['GET', `${ME}?${'a=1&'.repeat(100)}a=1`, tooMany],
    ['HEAD', ME, unauthenticated(HEAD_OPTIONS, null)],
    ['POST', ME, allowPatch],
    ['PUT', ME, allowPatch],
    ['PATCH', ME, unauthenticated(PATCH, NOT_AUTHENTICATED)],
    ['DELETE', ME, allowPatch],
    ['OPTIONS', ME, options(METHODS_OF_ME)],
    ['GET', `${ME}/`, noSlash],
    ['GET', `${ME}?`],
    ['GET', `${ME}?a=b#c`],
    ['GET', `${ME};a=b`],
    ['GET', `${ME}/x`],
    ['GET', `/${ME}`],
    ['GET', '/user//me'],
    ['GET', '/User/Me'],
    ['GET', '/user/%6de', noEncoding],
    ['GET', '/user%2fme', noEncoding],
    ['GET', `${ME}%20`],
    ['GET', `${ME}%00`],
    ['GET', '/user/%ff'],
    ['GET', '/user/%zz'],
    ['GET', '/user'],
    ['GET', '/user/'],
    ['GET', '/nope'],
    ['HEAD', '/nope'],
    ['POST', '/nope'],
    ['OPTIONS', '/nope'],
    ['GET', '/nope/'],
    ['GET', `/api${ME}`, unauthenticated('The prefix `/api`', NOT_AUTHENTICATED)],
    ['GET', '/', page],
    ['POST', '/'],
    ['GET', '/redoc', failed('The page at `/`, and `/redoc`', 404, 'notFound')],
  ] satisfies (readonly [string, string, ...Difference[]])[]
).map(([method, path, ...differences]) => [`${method} ${path}`, path, { method }, ...differences]);
