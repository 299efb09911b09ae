// What JSON says where TypeScript has an enumeration: its value.
export type Loose<T> = 0 extends 1 & T
  ? T
  : T extends string
    ? `${T}`
    : T extends number
      ? number
      : T extends boolean
        ? boolean
        : T extends (infer U)[]
          ? Loose<U>[]
          : T extends object
            ? { [K in keyof T]: Loose<T[K]> }
            : T;
