import { Injectable, type NestMiddleware } from '@nestjs/common';
import type { NextFunction, Request, Response } from 'express';
import { HashQueue } from './hash-queue';

/**
 * Comes before the body of a request that needs a hash is read: what cannot be done in time costs
 * next to nothing to refuse, or refusing would take from the hashing what it needs most.
 */
@Injectable()
export class RefuseOverload implements NestMiddleware {
  constructor(private readonly queue: HashQueue) {}

  use(_request: Request, _response: Response, next: NextFunction): void {
    this.queue.refuseIfFull();
    next();
  }
}
