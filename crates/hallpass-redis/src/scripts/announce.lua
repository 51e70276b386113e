local nonce, owner = unpack(ARGV)
local no = refused(nonce)
if no then
  return no
end
local seq, damaged = log(nonce, 'o' .. owner)
return damaged or {'done', seq}
