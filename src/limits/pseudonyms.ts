import { createHmac, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import ipaddr from 'ipaddr.js';
import { SigningKeys } from '../config/signing-keys';
import type { Client } from '../http/client.decorator';

/** Of an IPv6 address, what a provider gives to one customer (RFC 6177), in bytes. */
const IPV6_NETWORK_BYTES = 8;

/** Names under which things are counted that nobody should read there: names, and addresses. */
@Injectable()
export class Pseudonyms {
  private readonly key: KeyObject;
  /** The current one, and that of before a rotation. */
  private readonly keys: readonly KeyObject[];

  constructor({ current, previous }: SigningKeys) {
    this.key = derive(current);
    this.keys = [this.key, ...(previous === undefined ? [] : [derive(previous)])];
  }

  /** A keyed digest: always the same for the same text. */
  of(text: string): string {
    return digest(this.key, text);
  }

  /** Of where a client is. @param whose account it is there for, if that matters */
  ofPlace({ ip }: Pick<Client, 'ip'>, whose = ''): string {
    return this.of(place(ip, whose));
  }

  /** The same, and what it was before a rotation of the key. */
  allOfPlace({ ip }: Pick<Client, 'ip'>, whose: string): string[] {
    return this.keys.map((key) => digest(key, place(ip, whose)));
  }
}

function derive(key: KeyObject): KeyObject {
  return createSecretKey(Buffer.from(hkdfSync('sha256', key, '', 'limits', 32)));
}

function digest(key: KeyObject, text: string): string {
  return createHmac('sha256', key).update(text).digest('base64url');
}

function place(ip: string | null, whose: string): string {
  return `place:${ip === null ? '' : networkOf(ip)}:${whose}`;
}

/** What one customer of a provider has: an IPv4 address, however it is written, or an IPv6 /64. */
export function networkOf(ip: string): string {
  // Of a link-local address, the interface that it came in by is no part.
  const address = ipaddr.process(ip.replace(/%.*$/, ''));
  const bytes = address.toByteArray();
  return Buffer.from(
    address.kind() === 'ipv4' ? bytes : bytes.slice(0, IPV6_NETWORK_BYTES),
  ).toString('hex');
}
