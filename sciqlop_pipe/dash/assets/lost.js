if (document.getElementById('lost')) return;
const said = document.createElement('div');
said.id = 'lost'; said.setAttribute('role', 'alert');
said.textContent = 'The connection to the server is lost: what you see does not change any more. ';
const again = document.createElement('a');
again.href = location.href; again.textContent = 'Load this page again';
said.append(again, ' when the server is back.');
said.style.cssText = 'position:fixed;left:0;right:0;top:0;z-index:9999;padding:8px 14px;background:#fff7e6;'
  + 'border-bottom:3px solid #e69f00;font:14px system-ui,sans-serif;color:#1a1a1a';
document.body.append(said);
