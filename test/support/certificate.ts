import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIPv4 } from 'node:net';

/** A certificate and its key, as a server takes them. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** What a certificate is to say. */
interface Subject {
  readonly name: string;
  /** Names and IPv4 addresses that it is for. */
  readonly hosts?: readonly string[];
  readonly from?: Date;
  readonly until?: Date;
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** An authority that nobody knows but who is told of it (RFC 5280). */
export class CertificateAuthority {
  private readonly keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  readonly cert: string;

  constructor(private readonly name = 'Authority of a test') {
    this.cert = certificate({ name }, this.keys.publicKey, name, this.keys.privateKey, true);
  }

  /** A certificate that it vouches for. */
  issue(subject: Subject): Certificate {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const cert = certificate(subject, publicKey, this.name, this.keys.privateKey, false);
    return { cert, key: pem(privateKey) };
  }
}

/** A certificate that vouches for itself. */
export function selfSigned(subject: Subject): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const cert = certificate(subject, publicKey, subject.name, privateKey, false);
  return { cert, key: pem(privateKey) };
}

function pem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** ITU-T X.690: tag, length, value. */
function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const value = Buffer.concat(parts);
  const length =
    value.length < 128
      ? Buffer.from([value.length])
      : Buffer.from([0x82, value.length >> 8, value.length & 255]);
  return Buffer.concat([Buffer.from([tag]), length, value]);
}

const sequence = (...parts: readonly Buffer[]): Buffer => der(0x30, ...parts);
const octets = (bytes: Buffer): Buffer => der(0x04, bytes);
const YES = der(0x01, Buffer.from([0xff]));
/** Object identifiers, by what they stand for. */
const ECDSA_WITH_SHA256 = sequence(der(0x06, Buffer.from('2a8648ce3d040302', 'hex')));
const COMMON_NAME = der(0x06, Buffer.from('550403', 'hex'));
const BASIC_CONSTRAINTS = der(0x06, Buffer.from('551d13', 'hex'));
const SUBJECT_ALTERNATIVE_NAME = der(0x06, Buffer.from('551d11', 'hex'));

function certificate(
  { name, hosts = [], from = new Date(Date.now() - DAY_MS), until = inDays(365) }: Subject,
  publicKey: KeyObject,
  issuer: string,
  signer: KeyObject,
  isAuthority: boolean,
): string {
  const names = hosts.map((host) =>
    isIPv4(host)
      ? der(0x87, Buffer.from(host.split('.').map(Number)))
      : der(0x82, Buffer.from(host)),
  );
  const extensions = [
    sequence(BASIC_CONSTRAINTS, YES, octets(isAuthority ? sequence(YES) : sequence())),
    ...(names.length > 0 ? [sequence(SUBJECT_ALTERNATIVE_NAME, octets(sequence(...names)))] : []),
  ];
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([1]), randomBytes(8)),
    ECDSA_WITH_SHA256,
    nameOf(issuer),
    sequence(timeOf(from), timeOf(until)),
    nameOf(name),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...extensions)),
  );
  const signature = sign('sha256', body, signer);
  const whole = sequence(
    body,
    ECDSA_WITH_SHA256,
    der(0x03, Buffer.concat([Buffer.from([0]), signature])),
  );
  const lines = whole.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

function nameOf(text: string): Buffer {
  return sequence(der(0x31, sequence(COMMON_NAME, der(0x0c, Buffer.from(text)))));
}

function timeOf(date: Date): Buffer {
  const digits = date.toISOString().replace(/[-:T]|\.\d+/g, '');
  // RFC 5280 §4.1.2.5: with two digits of the year until 2049.
  return date.getUTCFullYear() < 2050
    ? der(0x17, Buffer.from(digits.slice(2)))
    : der(0x18, Buffer.from(digits));
}

/** A moment so many days from now. */
export function inDays(days: number): Date {
  return new Date(Date.now() + days * DAY_MS);
}
