import Ajv, { type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import type { RunningService } from './service';

interface ResponseObject {
  readonly description: string;
  readonly content?: Record<string, { readonly schema: object }>;
}

/** One method of one path. */
export interface Operation {
  readonly responses: Record<string, ResponseObject>;
  readonly security?: object[];
  readonly requestBody?: { readonly content: Record<string, { readonly schema: object }> };
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
}

/** An OpenAPI document, as far as the tests look into it. */
export interface Document {
  readonly servers: unknown;
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: {
    readonly schemas: Record<string, { readonly properties?: Record<string, object> }>;
    readonly securitySchemes: Record<
      string,
      { readonly flows?: { readonly password: { tokenUrl: string } } }
    >;
  };
}

/** What the service says of itself, to hold its answers against. */
export class Description {
  private readonly validators = new Map<object, ValidateFunction>();

  private constructor(
    readonly text: string,
    readonly document: Document,
  ) {}

  static async of(service: RunningService): Promise<Description> {
    const text = await (await service.fetch('/api/openapi.json')).text();
    return new Description(text, JSON.parse(text) as Document);
  }

  /**
   * What is wrong with an answer.
   *
   * @returns undefined if it is one that is described
   */
  problemWith(
    operation: Operation,
    { status, type, body }: { status: number; type: string; body: string },
  ): unknown {
    const described = operation.responses[String(status)];
    if (described === undefined) return `${String(status)} is not described: ${body}`;
    if (body === '') return described.content === undefined ? undefined : 'There is no body';
    const validate = this.validator(described.content?.[type]?.schema ?? NOTHING);
    return validate(JSON.parse(body)) ? undefined : { type, body, errors: validate.errors };
  }

  /** Members that a schema does not name are an error here: the document is to be complete. */
  private validator(schema: object): ValidateFunction {
    const known = this.validators.get(schema);
    if (known !== undefined) return known;
    const ajv = new Ajv({ strict: false });
    addFormats(ajv);
    const closed = JSON.parse(JSON.stringify(this.document.components), (_key, value: unknown) =>
      typeof value === 'object' && value !== null && 'properties' in value
        ? { additionalProperties: false, ...value }
        : value,
    ) as object;
    const validate = ajv.compile({ ...schema, components: closed });
    this.validators.set(schema, validate);
    return validate;
  }
}

const NOTHING = { not: {} };
