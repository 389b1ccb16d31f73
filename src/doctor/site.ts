import type { Tls } from './reach';
import { type Answer, jsonOf, visit, type Visit } from './visit';

/** A deployment as it is from outside. */
export class Site {
  /**
   * @param base where the page is, without a slash at its end
   * @param root prefix of the API behind that: `/api`, or empty
   * @param health what the service answered to whether it lives
   * @param clockOffsetMs how much later its clock is than that of this machine
   * @param tls what was agreed on, under TLS
   */
  private constructor(
    readonly base: URL,
    private readonly root: string,
    readonly health: Answer,
    readonly clockOffsetMs: number | undefined,
    readonly tls: Tls | undefined,
  ) {}

  /**
   * Looks where the API is.
   *
   * @param roots where it may be; the first, unless it is not there and at another it is
   * @throws Error of Node's when nothing answers that is HTTP
   */
  static async find(
    base: URL,
    roots: readonly [string, ...string[]],
    tls: Tls | undefined,
    signal: AbortSignal,
  ): Promise<Site> {
    const sites: Site[] = [];
    for (const root of new Set(roots)) {
      const asked = Date.now();
      const health = await visit(at(base, `${root}/health/live`), {}, signal);
      const offset = clockOffset(health, (asked + Date.now()) / 2);
      const site = new Site(base, root, health, offset, tls);
      if (site.isService) return site;
      sites.push(site);
    }
    const [first] = sites;
    if (first === undefined) throw new Error('There is always one');
    return first;
  }

  /** Whether what answers there is the service, and it lives. */
  get isService(): boolean {
    const json = jsonOf(this.health);
    return (
      this.health.status === 200 &&
      typeof json === 'object' &&
      json !== null &&
      Reflect.get(json, 'status') === 'ok'
    );
  }

  /** Where the API is. */
  get api(): string {
    return at(this.base, this.root).href.replace(/\/$/, '');
  }

  /** Asks for something beside the API. */
  page(path: string, signal: AbortSignal, what: Visit = {}): Promise<Answer> {
    return visit(at(this.base, path), what, signal);
  }

  /** Asks the API. */
  call(path: string, signal: AbortSignal, what: Visit = {}): Promise<Answer> {
    return visit(at(this.base, this.root + path), what, signal);
  }
}

/** Something below a URL. */
function at(base: URL, path: string): URL {
  return new URL(base.pathname.replace(/\/$/, '') + path, base);
}

/** In milliseconds; a `Date` is the beginning of the second that it names. */
function clockOffset({ headers: { date = '' } }: Answer, now: number): number | undefined {
  const said = Date.parse(date);
  return Number.isNaN(said) ? undefined : said + 500 - now;
}
