// 2600 → "¥26.00"
function yuan(fen) {
  return '¥' + (fen / 100).toFixed(2)
}

function total(cart) {
  return cart.reduce((sum, item) => sum + item.price, 0)
}

module.exports = { yuan, total }
