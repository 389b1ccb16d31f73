import { readFileSync } from 'node:fs';
import { load } from 'js-yaml';

interface Rules {
  readonly groups: readonly {
    readonly rules: readonly { readonly annotations: { readonly runbook: string } }[];
  }[];
}

describe('docs/operations.md', () => {
  it('says what to do about each alert, where the alert says it does', () => {
    const { groups } = load(readFileSync('deploy/prometheus/alerts.yml', 'utf8')) as Rules;
    const wanted = groups.flatMap(({ rules }) =>
      rules.map(({ annotations }) => annotations.runbook),
    );
    const headings = readFileSync('docs/operations.md', 'utf8').matchAll(/^#+ (.+)$/gm);
    // As GitHub names them.
    const anchors = [...headings].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    );
    expect(anchors.map((anchor) => `docs/operations.md#${anchor}`)).toEqual(
      expect.arrayContaining(wanted),
    );
  });
});
