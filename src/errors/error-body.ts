import type { Request } from 'express';
import type { ApiError, FieldError } from './api-error';
import { type Catalogue, FIELD_MESSAGES, MESSAGES } from './messages';

/** One entry of a 422's `detail`, as pydantic v1 writes it. */
export interface FieldErrorBody {
  readonly loc: readonly (string | number)[];
  readonly msg: string;
  readonly type: string;
  readonly ctx?: Readonly<Record<string, string | number>>;
}

/** Body of every error. */
export interface ErrorBody {
  readonly detail: string | readonly FieldErrorBody[];
}

/**
 * The catalogue that a client wishes for by `Accept-Language` (RFC 9110 §12.5.4). Offered first are
 * the reference's words: who accepts anything hears those, and so does who accepts neither.
 */
export function catalogueFor(request: Request): Catalogue {
  const wish = request.acceptsLanguages('x-reference', 'ko', 'en');
  return wish === 'ko' || wish === 'en' ? wish : 'reference';
}

/** Body of an error in the words of a catalogue. */
export function errorBody(
  error: Pick<ApiError, 'messageName' | 'members'>,
  catalogue: Catalogue,
): ErrorBody {
  return { detail: MESSAGES[error.messageName][catalogue], ...error.members };
}

/** Body of a 422 in the words of a catalogue. */
export function validationBody(errors: readonly FieldError[], catalogue: Catalogue): ErrorBody {
  return {
    detail: errors.map(({ loc, messageName, parameter }) => {
      const wording: (typeof FIELD_MESSAGES)[typeof messageName] & { parameter?: string } =
        FIELD_MESSAGES[messageName];
      if (wording.parameter === undefined || parameter === undefined) {
        return { loc, msg: wording[catalogue], type: wording.type };
      }
      return {
        loc,
        msg: wording[catalogue].replace(`{${wording.parameter}}`, String(parameter)),
        type: wording.type,
        ctx: { [wording.parameter]: parameter },
      };
    }),
  };
}
