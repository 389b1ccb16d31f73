import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A request, and what the reference answered. */
export interface Recorded {
  readonly name: string;
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly headers?: Record<string, string>;
    readonly body?: string;
  };
  readonly response: {
    readonly status: number;
    readonly headers: Record<string, string>;
    readonly body: unknown;
  };
}

/** Everything that was asked of the reference with an empty table, in its order. */
export const RECORDED = JSON.parse(
  readFileSync(join(__dirname, 'recorded.json'), 'utf8'),
) as readonly Recorded[];
