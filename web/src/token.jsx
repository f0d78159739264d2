import { useEffect, useRef, useState } from "react";
import { applicationToken, customerToken, Refusal } from "./ask.js";

/**
 * The dialog that gets a token. What one types goes to the server once; the form
 * is emptied when the dialog closes, however it closes.
 */
export function TokenDialog({ place, open, onClose, onToken }) {
  const dialog = useRef(null);
  const form = useRef(null);
  const asking = useRef(null); // ends the question that is under way
  const [kind, setKind] = useState("application");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");

  useEffect(() => {
    if (open) dialog.current?.showModal();
  }, [open]);

  const closed = () => {
    asking.current?.abort();
    form.current?.reset();
    setKind("application");
    setProblem("");
    setBusy(false);
    onClose();
  };

  const submit = async (event) => {
    event.preventDefault();
    const typed = Object.fromEntries(new FormData(form.current));
    const question = new AbortController();
    asking.current = question;
    setProblem("");
    setBusy(true);
    try {
      const token = await tokenFor(kind, typed, place, question.signal);
      if (question.signal.aborted) return;
      onToken(token);
      dialog.current.close();
    } catch (error) {
      if (question.signal.aborted) return;
      setProblem(error instanceof Refusal ? error.message : "The server cannot be reached.");
      setBusy(false);
    }
  };

  const choose = (event) => {
    setKind(event.target.value);
    setProblem("");
  };
  return (
    <dialog ref={dialog} className="token" aria-labelledby="token-title" onClose={closed}>
      <form ref={form} onSubmit={submit} autoComplete="off">
        <h2 id="token-title">Get a token</h2>
        <p>
          What you type here is sent once and kept nowhere. The token goes into the headers tab and is gone when you reload.
        </p>
        <fieldset className="kinds">
          <legend>Whose token</legend>
          <label>
            <input type="radio" name="kind" value="application" checked={kind === "application"} onChange={choose} />
            An application
          </label>
          <label>
            <input type="radio" name="kind" value="customer" checked={kind === "customer"} onChange={choose} />
            A customer
          </label>
        </fieldset>
        <Fields key={kind} kind={kind} place={place} />
        {problem !== "" && (
          <p className="problem" role="alert">
            {problem}
          </p>
        )}
        <div className="acts">
          <button type="button" onClick={() => dialog.current.close()}>
            Cancel
          </button>
          <button type="submit" className="act" disabled={busy}>
            {kind === "application" && place.away ? "Use the token" : "Get the token"}
          </button>
        </div>
      </form>
    </dialog>
  );
}

function tokenFor(kind, typed, place, signal) {
  if (kind === "customer") return customerToken(place.graphql, { email: typed.email.trim(), password: typed.password }, signal);
  if (place.away) return typed.token.trim();
  return applicationToken({ id: typed.id.trim(), secret: typed.secret.trim(), customer: typed.customer.trim() }, signal);
}

function Fields({ kind, place }) {
  if (kind === "customer") {
    return (
      <>
        <Field name="email" label="E-mail address" type="email" />
        <Field name="password" label="Password" type="password" />
      </>
    );
  }
  if (place.away) {
    return (
      <>
        <p>
          The token endpoint is on another host, and answers no page of another origin. Ask it in a terminal, and paste the{" "}
          <code>access_token</code> of the answer here.
        </p>
        <pre>
          {`curl -s '${place.auth}/token/' \\\n  -d grant_type=client_credentials \\\n  -d client_id=<CLIENT_ID> \\\n  -d client_secret=<CLIENT_SECRET>`}
        </pre>
        <Field name="token" label="Access token" type="password" />
      </>
    );
  }
  return (
    <>
      <Field name="id" label="Client ID" placeholder="app_…" />
      <Field name="secret" label="Client secret" type="password" />
      <Field name="customer" label="Customer to act for" placeholder="usr_…" optional hint="Leave it empty for the application's own token." />
    </>
  );
}

// autocomplete is off so that a browser does not offer to keep what is typed, nor
// brings it back with the page.
function Field({ name, label, type = "text", optional = false, hint, placeholder }) {
  const id = `token-${name}`;
  return (
    <div className="field">
      <label htmlFor={id}>
        {label}
        {optional && <span className="optional"> (optional)</span>}
      </label>
      <input
        id={id}
        name={name}
        type={type}
        required={!optional}
        placeholder={placeholder}
        autoComplete="off"
        autoCapitalize="off"
        spellCheck={false}
        aria-describedby={hint && `${id}-hint`}
      />
      {hint && (
        <small id={`${id}-hint`} className="hint">
          {hint}
        </small>
      )}
    </div>
  );
}
