// @ts-check
// The API's reference: Swagger UI over the OpenAPI document of this server.

window.SwaggerUIBundle({
  url: "/openapi.json",
  domNode: document.getElementById("reference"),
  deepLinking: true,
  presets: [window.SwaggerUIBundle.presets.apis],
  validatorUrl: null,
});
