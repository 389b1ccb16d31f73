import type { components } from './schema';

/** What the service says of one field, or, where `loc` names none, of the whole body. */
export type FieldProblem = components['schemas']['FieldErrorResponse'];

interface Told {
  /** What the service says; empty if it says nothing. */
  readonly message?: string;
  /** What it says of single fields. */
  readonly fields?: readonly FieldProblem[];
  /** In which language it says so, if in one. */
  readonly language?: string | null;
  /** Seconds until it is worth trying again, if it says so. */
  readonly retryAfter?: number | undefined;
  /** What it is called by programs, if it is. */
  readonly code?: string | undefined;
}

/** Why a request came to nothing, for the person who sent it. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly fields: readonly FieldProblem[];
  readonly language: string | null;
  readonly retryAfter: number | undefined;
  readonly code: string | undefined;

  /** @param status of the answer, or 0 if there was none */
  constructor(
    readonly status: number,
    { message = '', fields = [], language = null, retryAfter, code }: Told = {},
  ) {
    super(message);
    this.fields = fields;
    this.language = language;
    this.retryAfter = retryAfter;
    this.code = code;
  }
}

interface Answer<T> {
  readonly data?: T;
  readonly error?: unknown;
  readonly response: Response;
}

/**
 * The data of an answer.
 *
 * @throws Problem if it is an error, or if there is no answer
 */
export async function dataOf<T>(request: Promise<Answer<T>>): Promise<T> {
  let answer: Answer<T>;
  try {
    answer = await request;
  } catch {
    // fetch tells no script why nobody answered.
    throw new Problem(0);
  }
  const { data, error, response } = answer;
  // An answer that is not 2xx may have no body: 204 has no data, and is none.
  if (response.ok) return data as T;
  const { detail, error: code }: { detail?: unknown; error?: unknown } =
    typeof error === 'object' && error !== null ? error : {};
  // A date, which HTTP allows too, is none of this service's, and no number.
  const retryAfter = Number(response.headers.get('Retry-After'));
  throw new Problem(response.status, {
    ...(typeof detail === 'string' && { message: detail }),
    // As the service describes it; whatever else answers in its place has no list there.
    ...(Array.isArray(detail) && { fields: detail as FieldProblem[] }),
    language: response.headers.get('Content-Language'),
    retryAfter: retryAfter > 0 ? retryAfter : undefined,
    code: typeof code === 'string' ? code : undefined,
  });
}
