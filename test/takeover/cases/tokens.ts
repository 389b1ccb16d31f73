import { DAY, HOUR, now, referenceToken, sign } from '../../support/token';
import {
  answered,
  challengeSaysWhy,
  type Difference,
  saysWhetherConfirmed,
  tokenRefused,
} from '../differences';
import { type Case, HANA, HER } from './case';

const PATH = '/user/me';

const GOOD = referenceToken(HANA);
const [HEADER = '', PAYLOAD = '', SIGNATURE = ''] = GOOD.split('.');
const CLAIMS = { sub: HANA, exp: now() + HOUR };

function withClaims(claims: object): string {
  return sign({ ...CLAIMS, ...claims });
}

function withHeader(header: object, hash?: string): string {
  return sign(CLAIMS, { header: { alg: 'HS256', typ: 'JWT', ...header }, ...(hash && { hash }) });
}

const unstorable = tokenRefused('NUL or half a surrogate pair in a name or password');
const tooLong = tokenRefused('A token without `exp`, or good for longer than 24 hours from now');
const odd = tokenRefused(
  'A token with `crit`, padding, an `exp` in quotes, or issued in the future',
);

const BEARER = (
  [
    ['right', GOOD, saysWhetherConfirmed],
    ['garbage', 'garbage', challengeSaysWhy],
    ['dots', '...', challengeSaysWhy],
    ['with a part too many', `${GOOD}.x`, challengeSaysWhy],
    ['of two parts', `${HEADER}.${PAYLOAD}`, challengeSaysWhy],
    ['without its signature', `${HEADER}.${PAYLOAD}.`, challengeSaysWhy],
    ['cut off', GOOD.slice(0, -2), challengeSaysWhy],
    ['with padding', `${GOOD}=`, odd],
    ['with blanks after it', `${GOOD}  `, saysWhetherConfirmed],
    ['twice', `${GOOD} ${GOOD}`, challengeSaysWhy],
    ['twice, with a comma', `${GOOD}, Bearer ${GOOD}`, challengeSaysWhy],
    ['behind two blanks', ` ${GOOD}`, challengeSaysWhy],
    [
      'with claims that were not signed',
      `${HEADER}.${withClaims({ exp: now() + DAY - 1 }).split('.')[1] ?? ''}.${SIGNATURE}`,
      challengeSaysWhy,
    ],
    ['that has expired', withClaims({ exp: now() - 10 }), challengeSaysWhy],
    ['of 1970', withClaims({ exp: 1 }), challengeSaysWhy],
    ['of another key', sign(CLAIMS, { key: 'some other key, also long enough' }), challengeSaysWhy],
    ['of an empty key', sign(CLAIMS, { key: '' }), challengeSaysWhy],
    ['of alg none', withHeader({ alg: 'none' }), challengeSaysWhy],
    [
      'of alg none, without a signature',
      withHeader({ alg: 'none' }).replace(/[^.]*$/, ''),
      challengeSaysWhy,
    ],
    ['of HS384', withHeader({ alg: 'HS384' }, 'sha384'), challengeSaysWhy],
    ['of HS512', withHeader({ alg: 'HS512' }, 'sha512'), challengeSaysWhy],
    ['of hs256', withHeader({ alg: 'hs256' }), challengeSaysWhy],
    ['of RS256', withHeader({ alg: 'RS256' }), challengeSaysWhy],
    ['without alg', withHeader({ alg: undefined }), challengeSaysWhy],
    ['without typ', withHeader({ typ: undefined }), saysWhetherConfirmed],
    ['of another typ', withHeader({ typ: 'at+jwt' }), saysWhetherConfirmed],
    ['with kid', withHeader({ kid: '../../dev/null' }), saysWhetherConfirmed],
    ['with crit', withHeader({ crit: ['exp'] }), odd],
    ['of nobody', withClaims({ sub: 'nobody' }), challengeSaysWhy],
    ['of HANA', withClaims({ sub: 'HANA' }), challengeSaysWhy],
    ['without sub', withClaims({ sub: undefined }), challengeSaysWhy],
    ['with an empty sub', withClaims({ sub: '' }), challengeSaysWhy],
    ['with a number for sub', withClaims({ sub: 1 }), challengeSaysWhy],
    ['with null for sub', withClaims({ sub: null }), challengeSaysWhy],
    ['with NUL in sub', withClaims({ sub: 'a\0' }), unstorable],
    ['without exp', withClaims({ exp: undefined }), tooLong],
    ['good for two days', withClaims({ exp: now() + 2 * DAY }), tooLong],
    ['with exp in quotes', withClaims({ exp: String(CLAIMS.exp) }), odd],
    ['with a word for exp', withClaims({ exp: 'never' }), challengeSaysWhy],
    ['with null for exp', withClaims({ exp: null }), odd],
    ['with a fraction for exp', withClaims({ exp: CLAIMS.exp + 0.5 }), saysWhetherConfirmed],
    ['good from tomorrow', withClaims({ nbf: now() + DAY }), challengeSaysWhy],
    ['with iat', withClaims({ iat: now() - HOUR }), saysWhetherConfirmed],
    ['issued tomorrow', withClaims({ iat: now() + DAY }), odd],
    ['for somebody else', withClaims({ aud: 'somebody' }), challengeSaysWhy],
    ['with more claims', withClaims({ role: 'admin', iss: 'x' }), saysWhetherConfirmed],
    ['of 8 kB', withClaims({ more: 'x'.repeat(6000) }), saysWhetherConfirmed],
    ['whose claims are an array', sign([HANA]), challengeSaysWhy],
    ['whose claims are a text', sign(Object(HANA) as object), challengeSaysWhy],
  ] satisfies (readonly [string, string, ...Difference[]])[]
).map(([name, token, ...differences]): Case => [
  `token ${name}`,
  PATH,
  { headers: { authorization: `Bearer ${token}` } },
  ...differences,
]);

const OTHERS: Case[] = [
  ['no token', PATH, {}],
  [
    'authorization bearer',
    PATH,
    { headers: { authorization: `bearer ${GOOD}` } },
    saysWhetherConfirmed,
  ],
  [
    'authorization BEARER',
    PATH,
    { headers: { authorization: `BEARER ${GOOD}` } },
    saysWhetherConfirmed,
  ],
  [
    'authorization Bearer, and nothing else',
    PATH,
    { headers: { authorization: 'Bearer' } },
    challengeSaysWhy,
  ],
  ['authorization Bearer, and a tab', PATH, { headers: { authorization: `Bearer\t${GOOD}` } }],
  ['authorization Basic', PATH, { headers: { authorization: `Basic ${GOOD}` } }],
  ['authorization without a scheme', PATH, { headers: { authorization: GOOD } }],
  ['authorization that is empty', PATH, { headers: { authorization: '' } }],
  ['token in the query', `${PATH}?access_token=${GOOD}`, {}],
  [
    'token in a cookie',
    PATH,
    { headers: { cookie: `session=${GOOD}` } },
    answered('A token in the cookie `session`', 200, HER),
    saysWhetherConfirmed,
  ],
];

export const TOKENS: readonly Case[] = [...BEARER, ...OTHERS];
