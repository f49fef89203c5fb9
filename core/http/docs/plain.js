// A list of the operations with their descriptions, for a server without Swagger UI.
fetch(new URL('openapi.json', document.baseURI)).then(r => r.json()).then(description => {
  const root = document.getElementById('paths');
  root.textContent = '';
  for (const [path, methods] of Object.entries(description.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      if (!operation.responses) continue;
      const details = document.createElement('details');
      const summary = document.createElement('summary');
      const word = document.createElement('span');
      word.className = 'method';
      word.textContent = method.toUpperCase();
      const code = document.createElement('code');
      code.textContent = path;
      summary.append(word, code, ' ' + (operation.summary || ''));
      const pre = document.createElement('pre');
      pre.textContent = JSON.stringify(operation, null, 2);
      details.append(summary, pre);
      root.append(details);
    }
  }
});
