/** Why a request came to nothing, for the person who sent it. */
export class Problem extends Error {
  override readonly name = 'Problem';

  /**
   * @param status of the answer, or 0 if there was none
   * @param message what the service says, in the language of the page; empty if it says nothing
   * @param fields what it says of single fields, by their names
   * @param retryAfter seconds until it is worth trying again, if it says so
   */
  constructor(
    readonly status: number,
    message: string,
    readonly fields: Readonly<Record<string, string>> = {},
    readonly retryAfter?: number,
  ) {
    super(message);
  }
}

interface FieldError {
  readonly loc: readonly (string | number)[];
  readonly msg: string;
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
    throw new Problem(0, '');
  }
  const { data, error, response } = answer;
  // An answer that is not 2xx may have no body: 204 has no data, and is none.
  if (response.ok) return data as T;
  const detail: unknown =
    typeof error === 'object' && error !== null && 'detail' in error ? error.detail : undefined;
  const retryAfter = Number(response.headers.get('Retry-After') ?? NaN);
  throw new Problem(
    response.status,
    typeof detail === 'string' ? detail : '',
    Array.isArray(detail) ? fieldsOf(detail as FieldError[]) : {},
    Number.isNaN(retryAfter) ? undefined : retryAfter,
  );
}

function fieldsOf(errors: readonly FieldError[]): Record<string, string> {
  return Object.fromEntries(errors.map(({ loc, msg }) => [String(loc.at(-1)), msg]));
}
