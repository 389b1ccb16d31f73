import { readFileSync } from 'node:fs';
import { MESSAGES, type MessageName } from '../src/errors/messages';
import { CONTENT_SECURITY_POLICY } from '../src/http/security-headers';

const CONFIGURATION = readFileSync('nginx.conf', 'utf8');

/** What nginx refuses by itself, and what the service would say. */
const SAME: Readonly<Record<string, MessageName>> = {
  400: 'badRequest',
  404: 'notFound',
  405: 'methodNotAllowed',
  408: 'requestTimeout',
  413: 'bodyTooLarge',
  414: 'headersTooLarge',
  429: 'overloaded',
  431: 'headersTooLarge',
  500: 'internal',
  503: 'unavailable',
};

/** The entries of nginx's map from status and language to words, in their order. */
function details(): [pattern: string, words: string][] {
  const [, map = ''] = /map "\$status \$language" \$detail \{\n([^}]*)\}/.exec(CONFIGURATION) ?? [];
  return [...map.matchAll(/^ *(?:"([^"]+)"|(\S+)) "([^"]*)";$/gm)].map(
    ([, quoted, bare = '', words = '']) => [quoted ?? bare, words],
  );
}

/** As nginx looks into a map: a text that is equal, else the first expression, else the default. */
function detail(key: string): string | undefined {
  const entries = details();
  const found =
    entries.find(([pattern]) => pattern === key) ??
    entries.find(
      ([pattern]) => pattern.startsWith('~') && new RegExp(pattern.slice(1)).test(key),
    ) ??
    entries.find(([pattern]) => pattern === 'default');
  return found?.[1];
}

describe('nginx.conf', () => {
  it.each(Object.entries(SAME))('says %s in the words of the service: %s', (status, name) => {
    for (const language of ['reference', 'ko', 'en'] as const) {
      expect(detail(`${status} ${language}`)).toBe(MESSAGES[name][language]);
    }
  });

  it('allows the page what the service allows it', () => {
    const policy = Object.entries(CONTENT_SECURITY_POLICY)
      .map(([directive, sources]) => [directive, ...sources].join(' '))
      .join('; ');
    expect(CONFIGURATION).toContain(`default "${policy}";`);
  });

  it('believes nothing that a client says about its address', () => {
    const forwarded = [
      ...CONFIGURATION.matchAll(/proxy_set_header (X-Forwarded-\S+|Forwarded) (.*);/g),
    ];
    expect(forwarded.map(([, name, value]) => [name, value])).toEqual([
      ['X-Forwarded-For', '$remote_addr'],
      ['X-Forwarded-Proto', '$scheme'],
      ['X-Forwarded-Host', '""'],
      ['X-Forwarded-Port', '""'],
      ['Forwarded', '""'],
    ]);
  });
});
