import { GraphiQLProvider, useEditorContext, useSchemaContext } from "@graphiql/react";
import { explorerPlugin } from "@graphiql/plugin-explorer";
import { GraphiQL, GraphiQLInterface } from "graphiql";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { isSchemaOpen, sender } from "./ask.js";
import { examples } from "./examples.js";
import { empty, claimsOf, tokenIn, withToken } from "./headers.js";
import { storage } from "./storage.js";
import { TokenDialog } from "./token.jsx";

const plugins = [explorerPlugin({ showAttribution: false })];
// A tab without headers of its own takes what defaultHeaders says when it is opened.
const tabs = examples.slice(0, 2).map(({ query, variables }) => ({ query, variables, headers: null }));

/** The whole page: a bar of our own, and GraphiQL below it. */
export function Page({ place }) {
  const [headers, setHeaders] = useState(empty);
  const [answer, setAnswer] = useState(null);
  const [known, setKnown] = useState(false); // whether the schema can be asked for
  useEffect(() => {
    isSchemaOpen(place.graphql).then((open) => open && setKnown(true), () => {});
  }, [place.graphql]);
  const fetcher = useMemo(() => sender(place.graphql, setAnswer), [place.graphql]);
  return (
    <GraphiQLProvider
      fetcher={fetcher}
      storage={storage}
      shouldPersistHeaders={false}
      defaultHeaders={headers}
      defaultTabs={tabs}
      query={tabs[0].query}
      variables={tabs[0].variables}
      defaultQuery={"# Write a query here; Ctrl-Space shows what fits.\n\n"}
      plugins={plugins}
      schema={known ? undefined : null}
      inputValueDeprecation
      schemaDescription
    >
      <Bar place={place} known={known} onHeaders={setHeaders} onToken={setKnown} />
      <main className="graphiql-frame">
        <GraphiQLInterface defaultEditorToolsVisibility="headers" showPersistHeadersSettings={false}>
          <GraphiQL.Logo>
            <span />
          </GraphiQL.Logo>
          <GraphiQL.Footer>
            <Footer answer={answer} licences={place.licences} />
          </GraphiQL.Footer>
        </GraphiQLInterface>
      </main>
    </GraphiQLProvider>
  );
}

function Bar({ place, known, onHeaders, onToken }) {
  const { headerEditor } = useEditorContext({ nonNull: true });
  const [asking, setAsking] = useState(false);
  const token = useToken();
  useSchemaOf(token, onToken);
  useEffect(() => {
    // For tabs that come, and those that nobody has looked at.
    if (claimsOf(token)) onHeaders(headerEditor.getValue());
  }, [token, headerEditor, onHeaders]);
  const use = useCallback((fresh) => headerEditor.setValue(withToken(headerEditor.getValue(), fresh)), [headerEditor]);
  return (
    <header className="bar">
      <a className="mark" href="/">
        Wattgate
      </a>
      <h1>GraphiQL</h1>
      <span className="environment">{place.environment}</span>
      <Holder token={token} known={known} />
      <Examples />
      <button type="button" className="act" disabled={!headerEditor} onClick={() => setAsking(true)}>
        Get a token
      </button>
      <TokenDialog place={place} open={asking} onClose={() => setAsking(false)} onToken={use} />
    </header>
  );
}

/** The token in the headers tab, as it is now. */
function useToken() {
  const { headerEditor } = useEditorContext({ nonNull: true });
  const [token, setToken] = useState("");
  useEffect(() => {
    if (!headerEditor) return undefined;
    const look = () => setToken(tokenIn(headerEditor.getValue()));
    look();
    headerEditor.on("change", look);
    return () => headerEditor.off("change", look);
  }, [headerEditor]);
  return token;
}

/**
 * Fetches the schema with a new token where there is none yet, or the last try was
 * refused: who has no token may not see it, so that the page comes without. It
 * waits until the token is typed.
 */
function useSchemaOf(token, onToken) {
  const context = useSchemaContext({ nonNull: true });
  const latest = useRef(context);
  useEffect(() => {
    latest.current = context;
  });
  useEffect(() => {
    if (token === "") return undefined;
    const timer = setTimeout(() => {
      const { schema, fetchError, introspect } = latest.current;
      onToken(true);
      if (!schema || fetchError) introspect();
    }, 300);
    return () => clearTimeout(timer);
  }, [token, onToken]);
}

const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZoneName: "short" });

/** For whom the token speaks, and until when. */
function Holder({ token, known }) {
  const claims = useMemo(() => claimsOf(token), [token]);
  const ends = typeof claims?.exp === "number" ? claims.exp * 1000 : null;
  const over = useOver(ends);
  let who = known ? "No token. Most fields want one." : "No token. The documentation and most fields want one.";
  if (token !== "" && !claims) who = "The token is none of ours.";
  if (claims) who = claims.act?.sub ? `${claims.sub}, by ${claims.act.sub}` : String(claims.sub);
  return (
    <p className={over || (token !== "" && !claims) ? "holder bad" : "holder"} role="status">
      {claims ? <code>{who}</code> : who}
      {ends !== null && (
        <>
          {over ? " ran out at " : " until "}
          <time dateTime={new Date(ends).toISOString()}>{clock.format(ends)}</time>
        </>
      )}
    </p>
  );
}

/** Whether a moment has passed; it looks once more when it comes. */
function useOver(ends) {
  const [, look] = useState(0);
  useEffect(() => {
    const left = ends === null ? 0 : ends - Date.now();
    if (left <= 0 || left > 0x7fffffff) return undefined;
    const timer = setTimeout(() => look((n) => n + 1), left + 50);
    return () => clearTimeout(timer);
  }, [ends]);
  return ends !== null && ends <= Date.now();
}

/** A menu of examples; each opens a tab. */
function Examples() {
  const { tabs: open, addTab, queryEditor, variableEditor } = useEditorContext({ nonNull: true });
  const list = useRef(null);
  const chosen = useRef(null);
  const show = (example) => {
    chosen.current = example;
    addTab();
    list.current.hidePopover();
  };
  useEffect(() => {
    if (!chosen.current) return;
    queryEditor.setValue(chosen.current.query);
    variableEditor.setValue(chosen.current.variables ?? "");
    chosen.current = null;
  }, [open.length, queryEditor, variableEditor]);
  return (
    <>
      {/* React 18 knows neither attribute, and hands on both as HTML spells them. */}
      <button type="button" popovertarget="examples">
        Examples
      </button>
      <ul id="examples" popover="auto" ref={list}>
        {examples.map((example) => (
          <li key={example.title}>
            <button type="button" onClick={() => show(example)}>
              {example.title}
              <small>{example.hint}</small>
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}

function Footer({ answer, licences }) {
  return (
    <footer className="foot">
      {answer && (
        <span>
          Status {answer.status}, {Math.round(answer.took)} ms, {answer.size.toLocaleString("en")} bytes
          {answer.price !== null && `, complexity ${answer.price}`}
          {answer.id && (
            <>
              , request <code>{answer.id}</code>
            </>
          )}
        </span>
      )}
      <a href="/v1/graphql/schema.graphql">Schema</a>
      <a href={licences}>Licences</a>
    </footer>
  );
}
