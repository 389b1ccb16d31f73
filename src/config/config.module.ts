import { type DynamicModule, Global, Module } from '@nestjs/common';
import { Settings } from './settings';
import { SigningKeys } from './signing-keys';

/** Gives every module the settings and the keys of this process. */
@Global()
@Module({})
export class ConfigModule {
  static forRoot(settings: Settings, keys: SigningKeys): DynamicModule {
    return {
      module: ConfigModule,
      providers: [
        { provide: Settings, useValue: settings },
        { provide: SigningKeys, useValue: keys },
      ],
      exports: [Settings, SigningKeys],
    };
  }
}
