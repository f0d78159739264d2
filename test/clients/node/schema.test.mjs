// npm's graphql reads our schema in both ways in which it can be had, and looks
// at what is deprecated. Started by graphql_test.go.
import assert from "node:assert/strict";
import { before, test } from "node:test";

import {
  buildClientSchema,
  buildSchema,
  findBreakingChanges,
  findDangerousChanges,
  getIntrospectionQuery,
  GraphQLSchema,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isIntrospectionType,
  isObjectType,
  isSpecifiedDirective,
  isSpecifiedScalarType,
  parse,
  validate,
  validateSchema,
} from "graphql";

import { env, thirdPartyToken } from "./graphql.mjs";

const everything = {
  descriptions: true,
  directiveIsRepeatable: true,
  inputValueDeprecation: true,
  oneOf: true,
  schemaDescription: true,
  specifiedByUrl: true,
};

let published, introspected;

before(async () => {
  const file = await fetch(`${env.WATTGATE_GRAPHQL_URL}schema.graphql`);
  assert.equal(file.status, 200);
  published = buildSchema(await file.text());
  const answer = await fetch(env.WATTGATE_GRAPHQL_URL, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${await thirdPartyToken()}` },
    body: JSON.stringify({ query: getIntrospectionQuery(everything) }),
  });
  const { data, errors } = await answer.json();
  assert.equal(errors, undefined);
  introspected = buildClientSchema(data);
});

// ours is a schema without the directives of the specification, which the
// library has in its own edition.
function ours(schema) {
  const config = schema.toConfig();
  return new GraphQLSchema({ ...config, directives: config.directives.filter((d) => !isSpecifiedDirective(d)) });
}

// members lists what a schema consists of, each by its name: types, their
// fields, values and arguments.
function* members(schema) {
  for (const type of Object.values(schema.getTypeMap())) {
    if (isIntrospectionType(type) || isSpecifiedScalarType(type)) continue;
    yield [type.name, type];
    if (isEnumType(type)) {
      for (const value of type.getValues()) yield [`${type.name}.${value.name}`, value];
    }
    if (isObjectType(type) || isInterfaceType(type) || isInputObjectType(type)) {
      for (const field of Object.values(type.getFields())) {
        yield [`${type.name}.${field.name}`, field];
        for (const argument of field.args ?? []) yield [`${type.name}.${field.name}(${argument.name}:)`, argument, field];
      }
    }
  }
}

// differences names the members of which the two schemas do not say the same.
function differences(what) {
  const [one, other] = [published, introspected].map((s) => new Map([...members(s)].map(([name, ...m]) => [name, what(...m) ?? null])));
  return [...new Set([...one.keys(), ...other.keys()])].filter((name) => one.get(name) !== other.get(name));
}

test("both are valid and say the same", () => {
  for (const schema of [published, introspected]) assert.deepEqual(validateSchema(schema), []);
  const [one, other] = [published, introspected].map(ours);
  for (const [from, to] of [
    [one, other],
    [other, one],
  ]) {
    const changes = [...findBreakingChanges(from, to), ...findDangerousChanges(from, to)];
    // The library leaves out scalars of the specification that nothing refers to.
    assert.deepEqual(changes.filter((c) => !c.description.startsWith("Standard scalar ")), []);
  }
  assert.deepEqual(differences((member) => member.description), []);
  // Introspection says that the arguments of a deprecated field are, too.
  assert.deepEqual(differences((member, field) => field?.deprecationReason ?? member.deprecationReason), []);
});

test("everything has a description", () => {
  for (const [name, { description }] of members(introspected)) assert.ok(description, `${name} has none`);
});

test("what is deprecated says since when", () => {
  const reasons = [...members(introspected)].map(([name, { deprecationReason }]) => [name, deprecationReason]).filter(([, reason]) => reason);
  assert.ok(reasons.length > 0);
  for (const [name, reason] of reasons) assert.match(reason, /^\d{4}-\d{2}-\d{2}: \S/, name);
});

test("the manuals' queries are valid", () => {
  const property = `query { property(id: "p") { id measurements(first: 10) { edges { node { value unit ... on IntervalMeasurementType { startAt endAt } } } } } }`;
  assert.deepEqual(validate(introspected, parse(property)), []);
  assert.deepEqual(validate(introspected, parse("{ me { firstName surname } }")), []);
  assert.equal(validate(introspected, parse("{ me { nothing } }")).length, 1);
});
