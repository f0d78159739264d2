import { createRoot } from "react-dom/client";
import "graphiql/style.css";
import "@graphiql/plugin-explorer/dist/style.css";
import "./page.css";
import { Page } from "./page.jsx";

// Where the server says that things are; the page asks nobody else.
const root = document.getElementById("page");
const { graphql, auth, away, environment, licences } = root.dataset;

// A browser that comes back to a page as it was left would bring the token back.
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});

createRoot(root).render(<Page place={{ graphql, auth, away: away === "true", environment, licences }} />);
