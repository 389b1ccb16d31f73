import { parser } from '@prometheus-io/lezer-promql';
import type { Sample } from './exposition';

/** One label that a selector asks for. */
interface Matcher {
  readonly label: string;
  readonly operator: string;
  readonly value: string;
}

/** What an expression of PromQL is about. */
export interface Query {
  /** Each is what one selector asks for, its name among it. */
  readonly selectors: readonly (readonly Matcher[])[];
  /** Labels that it groups or joins by. */
  readonly grouping: readonly string[];
}

/** @throws Error for what Prometheus' own grammar does not take */
export function parseQuery(expression: string): Query {
  const selectors: Matcher[][] = [];
  const grouping: string[] = [];
  parser.parse(expression).iterate({
    enter({ type, from, to, node }) {
      const text = expression.slice(from, to);
      if (type.isError) throw new Error(`Not PromQL, at ${String(from)}: ${expression}`);
      if (type.name === 'VectorSelector') {
        selectors.push([]);
      } else if (type.name === 'Identifier') {
        selectors.at(-1)?.push({ label: '__name__', operator: '=', value: text });
      } else if (type.name === 'UnquotedLabelMatcher') {
        const part = (name: string): string => {
          const child = node.getChild(name);
          return child === null ? '' : expression.slice(child.from, child.to);
        };
        selectors.at(-1)?.push({
          label: part('LabelName'),
          operator: part('MatchOp'),
          value: part('StringLiteral').slice(1, -1),
        });
      } else if (type.name === 'LabelName' && node.parent?.name === 'GroupingLabels') {
        grouping.push(text);
      }
    },
  });
  return { selectors, grouping };
}

/** Whether a selector selects a sample. */
export function selects(selector: readonly Matcher[], { name, labels }: Sample): boolean {
  const all: Readonly<Record<string, string>> = { ...labels, __name__: name };
  return selector.every(({ label, operator, value }) => {
    const actual = all[label] ?? '';
    const matches = operator.endsWith('~')
      ? new RegExp(`^(?:${value})$`).test(actual)
      : actual === value;
    return operator.startsWith('!') ? !matches : matches;
  });
}
