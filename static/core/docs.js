// Shows the API's document; writes from this page carry the CSRF token of the signed-in person.
"use strict";

const place = document.getElementById("swagger-ui");

function csrfToken() {
  const found = document.cookie.split("; ").find((part) => part.startsWith("csrftoken="));
  return found ? decodeURIComponent(found.split("=")[1]) : "";
}

window.SwaggerUIBundle({
  url: place.dataset.schema,
  domNode: place,
  deepLinking: true,
  presets: [window.SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  validatorUrl: null,
  docExpansion: "none",
  defaultModelsExpandDepth: 0,
  requestInterceptor(request) {
    const method = (request.method || "GET").toUpperCase();
    if (!request.loadSpec && method !== "GET" && method !== "HEAD" && csrfToken()) {
      request.headers["X-CSRFToken"] = csrfToken();
    }
    return request;
  },
});
