// The queries that the page begins with: those of the two manuals, and what one
// asks next. A test holds them against the schema.
import account from "./examples/account.graphql";
import changes from "./examples/changes.graphql";
import days from "./examples/days.graphql";
import follow from "./examples/follow.graphql";
import me from "./examples/me.graphql";
import usage from "./examples/usage.graphql";

const property = { id: "prop_" };

/** The first of them is what one sees first. */
export const examples = [
  { title: "Half-hours of a property", hint: "What a third party reads, with the token of its application.", query: usage, variables: property },
  { title: "Who one is", hint: "What a partner reads of a customer, with that customer's token.", query: me },
  { title: "An account and its properties", hint: "From the number of an account to what can be measured.", query: account, variables: { number: "A-" } },
  { title: "Days of a month", hint: "Sums of days, and how complete each of them is.", query: days, variables: { ...property, from: "2026-10-01", to: "2026-10-31" } },
  { title: "What is new or was corrected", hint: "The change feed: keep its last cursor, and ask from there next time.", query: changes, variables: property },
  { title: "The same, as it happens", hint: "A subscription: it goes on until you stop it.", query: follow, variables: property },
].map(({ variables, ...example }) => ({ ...example, variables: variables ? JSON.stringify(variables, null, 2) : null }));
