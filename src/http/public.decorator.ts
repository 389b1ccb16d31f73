import { SetMetadata } from '@nestjs/common';

export const IS_PUBLIC = 'isPublic';

/** Of a public route: who brings a token is let in with that, or not at all. */
export const IF_ANY = 'ifAny';

/** Opens a route, or all of a controller, to whoever has no token: every other needs one. */
export const Public = (): ClassDecorator & MethodDecorator => SetMetadata(IS_PUBLIC, true);

/** Opens a route to whoever has no token, and to whoever has a good one. */
export const LoginIfAny = (): ClassDecorator & MethodDecorator => SetMetadata(IS_PUBLIC, IF_ANY);
