const { menu } = require('../../data/menu')
const { yuan } = require('../../utils/price')

Page({
  data: { menu: menu.map(item => ({ ...item, shown: yuan(item.price) })), count: 0 },

  onShow() {
    this.setData({ count: getApp().globalData.cart.length })
  },

  add(event) {
    const item = menu.find(item => item.id === event.currentTarget.dataset.id)
    const { cart } = getApp().globalData
    cart.push(item)
    wx.setStorageSync('cart', cart)
    this.setData({ count: cart.length })
  },

  order() {
    wx.navigateTo({ url: '/pages/order/order' })
  },
})
