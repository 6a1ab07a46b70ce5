"use strict";
// Shows openapi.json as a page.
fetch("/api/openapi.json").then((answer) => answer.json()).then((spec) => {
  document.getElementById("about").textContent = spec.info.description;
  const add = (parent, tag, text) => { const made = document.createElement(tag); made.textContent = text; parent.append(made); return made; };
  for (const [path, methods] of Object.entries(spec.paths)) {
    for (const [method, what] of Object.entries(methods)) {
      const part = add(document.getElementById("paths"), "section", "");
      add(part, "h2", `${what["x-websocket"] ? "WS" : method.toUpperCase()} ${path}`);
      add(part, "p", what.description || what.summary);
      for (const parameter of what.parameters || []) add(part, "p", `${parameter.name}: ${parameter.description}`);
      const body = what.requestBody && what.requestBody.content["application/json"].example;
      if (body) add(part, "pre", `send    ${JSON.stringify(body)}`);
      const good = ((what.responses["200"] || {}).content || {})["application/json"];
      if (good && good.example) add(part, "pre", `answer  ${JSON.stringify(good.example)}`);
    }
  }
});
