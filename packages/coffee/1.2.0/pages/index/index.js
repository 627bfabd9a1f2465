const { menu, sizes } = require('../../data/menu')
const { yuan } = require('../../utils/price')

Page({
  data: { menu: [], sizes, size: 's', count: 0 },

  onShow() {
    this.setData({ count: getApp().globalData.cart.length })
    this.show('s')
  },

  show(size) {
    const { extra } = sizes.find(known => known.id === size)
    const priced = menu.map(item => ({ ...item, shown: yuan(item.price + extra) }))
    this.setData({ size, menu: priced })
  },

  choose(event) {
    this.show(event.currentTarget.dataset.size)
  },

  add(event) {
    const item = menu.find(item => item.id === event.currentTarget.dataset.id)
    const { name, extra } = sizes.find(known => known.id === this.data.size)
    const { cart } = getApp().globalData
    cart.push({ ...item, name: item.name + ', ' + name.toLowerCase(), price: item.price + extra })
    wx.setStorageSync('cart', cart)
    this.setData({ count: cart.length })
  },

  order() {
    wx.navigateTo({ url: '/pages/order/order' })
  },

  card() {
    wx.navigateTo({ url: '/loyalty/card/card' })
  },
})
