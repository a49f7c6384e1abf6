const query = new URLSearchParams(location.search);
query.delete('token');
history.replaceState(null, '', location.pathname + (query.size ? '?' + query : ''));
